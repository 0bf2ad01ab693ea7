# The reference system's own client, unchanged: signs in at a server whose address is all that it is given, and prints whom
# the server names. Its connection does more once it is signed in, of which our example server knows nothing.
import sys

import xgt

port, roots, cache, callback_port = sys.argv[1:]
flags = {"ssl": True, "ssl_server_cert": roots}
auth = xgt.OidcAuth(cache_path=cache, open_browser=False, callback_port=int(callback_port))
connection = xgt.Connection.__new__(xgt.Connection)
connection._init_helper("127.0.0.1", int(port), flags, auth)
print("userid: " + connection._userid, flush=True)
