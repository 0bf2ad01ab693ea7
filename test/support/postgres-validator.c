/*
 * Tells a PostgreSQL server of a test whether a token counts: it is used at the provider's userinfo endpoint, which is
 * plain HTTP on this machine (LATCHKEY_TEST_USERINFO: "PORT PATH").
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fmgr.h"
#include "libpq/oauth.h"

PG_MODULE_MAGIC;

static bool
is_known(const char *token)
{
	int port = 0;
	char path[256] = "";
	char answer[32] = "";
	char *request;
	struct sockaddr_in at = {0};
	int connection = socket(AF_INET, SOCK_STREAM, 0);
	const char *endpoint = getenv("LATCHKEY_TEST_USERINFO");
	bool known = false;

	if (endpoint == NULL || sscanf(endpoint, "%d %255s", &port, path) != 2)
		return false;
	at.sin_family = AF_INET;
	at.sin_port = htons((uint16_t) port);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	request = psprintf("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n",
					   path, port, token);
	if (connect(connection, (struct sockaddr *) &at, sizeof(at)) == 0 &&
		write(connection, request, strlen(request)) == (ssize_t) strlen(request) &&
		read(connection, answer, sizeof(answer) - 1) > 12)
		known = strncmp(answer, "HTTP/1.1 200", 12) == 0;
	close(connection);
	return known;
}

static bool
validate(const ValidatorModuleState *state, const char *token, const char *role, ValidatorModuleResult *result)
{
	result->authorized = is_known(token);
	result->authn_id = pstrdup(role);
	return true;
}

static const OAuthValidatorCallbacks callbacks = {
	PG_OAUTH_VALIDATOR_MAGIC,
	.validate_cb = validate
};

const OAuthValidatorCallbacks *
_PG_oauth_validator_module_init(void)
{
	return &callbacks;
}
