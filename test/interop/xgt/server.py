# A server made with grpcio from the descriptors of the package xgt: says which provider to use, and gives a session for a
# token that the provider's userinfo endpoint takes. Each session is good for one call of the service below.
import concurrent.futures
import json
import sys
import urllib.error
import urllib.request
import uuid

import grpc
from xgt import AdminService_pb2 as admin
from xgt import AdminService_pb2_grpc as admin_grpc

issuer, client_id, certificate, key = sys.argv[1:]
sessions = {}


def read(url, headers={}):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return json.load(answer)


def subject_of(token):
    endpoint = read(issuer + "/.well-known/openid-configuration")["userinfo_endpoint"]
    try:
        return read(endpoint, {"authorization": "Bearer " + token})["sub"]
    except urllib.error.HTTPError:
        return None


def told(what):
    print(what, flush=True)


class Admin(admin_grpc.AdminServiceServicer):
    def GetOidcIssuer(self, request, context):
        told("GetOidcIssuer")
        return admin.GetOidcIssuerResponse(
            issuer=issuer, configured=True, client_id=client_id, scopes="openid profile"
        )

    def ProtocolVersion(self, request, context):
        told("ProtocolVersion")
        return admin.ProtocolVersionResponse(protocol_version=request.protocol_version)

    def TokenAuthenticate(self, request, context):
        told("TokenAuthenticate")
        userid = subject_of(request.access_token)
        if userid is None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "not this token")
        session = str(uuid.uuid4())
        sessions[session] = userid
        return admin.AuthenticateResponse(
            session_token=session,
            userid=userid,
            protocol_version=request.protocol_version,
            client_settings={"a": "b"},
        )

    def CloseSession(self, request, context):
        told("CloseSession")
        return admin.CloseSessionResponse()


def hello(request, context):
    session = dict(context.invocation_metadata()).get("session_token")
    userid = sessions.pop(session, None)
    told("Hello" if userid else "refused")
    if userid is None:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "no such session")
    return ("Hello, %s." % userid).encode()


server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=4))
admin_grpc.add_AdminServiceServicer_to_server(Admin(), server)
handler = grpc.unary_unary_rpc_method_handler(hello)
server.add_generic_rpc_handlers(
    (grpc.method_handlers_generic_handler("example.Greeter", {"Hello": handler}),)
)
with open(key, "rb") as private, open(certificate, "rb") as chain:
    credentials = grpc.ssl_server_credentials([(private.read(), chain.read())])
port = server.add_secure_port("127.0.0.1:0", credentials)
server.start()
told("grpcs://127.0.0.1:%d" % port)
server.wait_for_termination()
