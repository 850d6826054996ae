#include "reread.h"

#include "config/config.h"
#include "server.h"

static int try_tokens(const struct config *config, struct reread_fault *fault)
{
    struct tokens tokens;
    int result;

    fault->file = config->token_file;
    result = tokens_read(config->token_file, &tokens, &fault->line, &fault->err);
    if (result == 0)
        tokens_deinit(&tokens);
    return result;
}

static int try_certificate(const struct config *config, struct reread_fault *fault)
{
    struct certificate *certificate;
    int result;

    fault->file = config->tls_cert;
    fault->line = 0; /* of the tokens, which were fine */
    result = certificate_read(config->tls_cert, config->tls_key, &certificate, &fault->err);
    if (result == 0)
        certificate_unref(certificate);
    return result;
}

size_t reread_try(const struct config *config, struct reread_fault ret_faults[static REREAD_COUNT])
{
    size_t count = 0;

    for (size_t i = 0; i < REREAD_COUNT; i++)
        ret_faults[i] = (struct reread_fault){0};
    if (!config->listen)
        return 0;
    count += try_tokens(config, &ret_faults[count]) < 0;
    if (config->tls_cert)
        count += try_certificate(config, &ret_faults[count]) < 0;
    return count;
}

static int load_tokens(struct http *http, struct reread_fault *fault)
{
    fault->file = http->config.config->token_file;
    return auth_load(&http->auth, fault->file, &fault->line, &fault->err);
}

static int load_certificate(struct http *http, struct reread_fault *fault)
{
    const struct config *config = http->config.config;

    fault->file = config->tls_cert;
    fault->line = 0; /* of the tokens, which were fine */
    return tls_load(&http->tls, config->tls_cert, config->tls_key, &fault->err);
}

size_t reread(struct http *http, struct reread_fault ret_faults[static REREAD_COUNT])
{
    size_t count = 0;

    for (size_t i = 0; i < REREAD_COUNT; i++)
        ret_faults[i] = (struct reread_fault){0};
    if (!http->config.config->listen)
        return 0;
    count += load_tokens(http, &ret_faults[count]) < 0;
    if (http->tcp.tls)
        count += load_certificate(http, &ret_faults[count]) < 0;
    return count;
}

int reread_error(const struct reread_fault *fault, struct error *err)
{
    *err = fault->err;
    if (fault->line > 0)
        return error_prefix(err, "%s:%d", fault->file, fault->line);
    return error_prefix(err, "%s", fault->file);
}
