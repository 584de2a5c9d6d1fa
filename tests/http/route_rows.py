"""
One row for each row of the program's route table: how to ask for it, and what it answers.  test_isolation.py walks it.
"""
import os

from webstack import PASSWORD

MISSING = 987654321
web = None  # the stack; set by who imports this


class Row:
    """
    What a route answers to who may use it.  ok: to a script; page: to a browser.  own: makes what :id names, for its
    owner.  private: it is its maker's alone, and not even an administrator's.  form: what is posted.  token: makes what
    :token stands for.  json: what is posted is JSON.
    """

    def __init__(self, ok=200, page=None, own=None, private=False, form=None, query="", token=None, json=False):
        self.ok = ok
        self.page = page or (303 if form is not None else ok)
        self.own = own
        self.private = private
        self.form = form
        self.query = query
        self.token = token
        self.json = json


def job(state="done"):
    return lambda who: web.add_job(who.account, state, log=b"a line\n")


def counted(who):
    """A dry run that counted what could be deleted, of an account that may."""
    web.sql("UPDATE account SET may_delete2 = 1 WHERE id = %d" % who.account)
    return web.add_job(who.account, "done", dry_run=1, delete2=1, messages_to_delete=3, delete2_digest="'%s'" % ("0f" * 32))


def server(who):
    web.names += 1
    return web.add_server(who.account, "Server %d" % web.names)


def batch(who):
    web.names += 1
    web.sql("INSERT INTO batch (account_id, tag, created_at) VALUES (%d, 'batch %d', UTC_TIMESTAMP(6))"
            % (who.account, web.names))
    made = int(web.sql("SELECT MAX(id) FROM batch")[0][0])
    web.add_job(who.account, "done", batch_id=made)
    return made


def bulk(who):
    web.names += 1
    made = int(web.sql("INSERT INTO bulk (user_id, account_id, request_key, action, picked, newest_job_id, total, created_at) "
                       "VALUES (%d, %d, RANDOM_BYTES(16), 'retry', 1, 0, 1, UTC_TIMESTAMP(6)); SELECT LAST_INSERT_ID()"
                       % (who.user, who.account))[0][0])
    web.sql("INSERT INTO bulk_job (bulk_id, n, job_id, label, is_last) VALUES (%d, 1, %d, 'x', 1)" % (made, job()(who)))
    return made


def import_(who):
    made = int(web.sql("INSERT INTO import (account_id, user_id, rows_good, rows_bad, created_at, expires_at) VALUES "
                       "(%d, %d, 1, 0, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 HOUR); SELECT LAST_INSERT_ID()"
                       % (who.account, who.user))[0][0])
    at = server(who)
    web.sql("INSERT INTO import_row (import_id, line, src_server_id, src_user, src_sealed, dst_server_id, dst_user, "
            "dst_sealed) VALUES (%d, 2, %d, 'import%d', 'x', %d, 'b', 'x')" % (made, at, made, at))
    return made


def job_form(who):
    at = server(who)
    return {"source_server_id": at, "source_user": "a", "source_password": "p", "dest_server_id": at, "dest_user": "b",
            "dest_password": "p"}


def server_form(who):
    web.names += 1
    return {"name": "Made %d" % web.names, "host": "imap.example.org", "port": 993, "security": "tls"}


def batch_form(who):
    web.names += 1
    row = dict(job_form(who), source_user="row%d" % web.names)
    return {"tag": "Made %d" % web.names, "jobs": [row]}


def account(who):
    web.names += 1
    return web.add_account("Account %d" % web.names)


def account_form(who):
    web.names += 1
    return {"name": "Account %d" % web.names, "max_queued": "10"}


def user(who):
    web.names += 1
    web.add_user(who.account, "user%d@example.org" % web.names, "member")
    return int(web.sql("SELECT MAX(id) FROM user")[0][0])


def user_form(who):
    web.names += 1
    return {"email": "invited%d@example.org" % web.names, "role": "member", "account_id": who.account}


def log_link(who):
    return int(web.sql("INSERT INTO log_link (job_id, created_by, created_at, expires_at) VALUES (%d, %d, "
                       "UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 DAY); SELECT LAST_INSERT_ID()"
                       % (job()(who), who.user))[0][0])


def token(who, scopes="jobs:read", text=None, installation=False):
    web.names += 1
    text = text or "token%d" % web.names
    return int(web.sql(
        "INSERT INTO api_token (account_id, name, token_hash, scopes, issuer, created_by, created_at) VALUES "
        "(%s, 'x', UNHEX(SHA2('%s', 256)), '%s', '%s', %d, UTC_TIMESTAMP(6)); SELECT LAST_INSERT_ID()"
        % ("NULL" if installation else who.account, text, scopes,
           "api" if installation else "account-%d" % who.account, who.user))[0][0])


def bearer(who, scopes, installation=False):
    """A browser that has no cookie, but a token."""
    web.names += 1
    text = "mcv_%064x" % web.names
    token(who, scopes, text, installation)
    return web.anyone(Authorization="Bearer " + text)


def welcome(who):
    """A one-time link."""
    web.names += 1
    token = "%064x" % web.names
    web.sql("INSERT INTO user_link (id_hash, user_id, created_at, expires_at) VALUES (UNHEX(SHA2('%s', 256)), %d, "
            "UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 HOUR)" % (token, user(who)))
    return token


def sso(who):
    """A link that signs in."""
    web.names += 1
    token = "%064x" % web.names
    web.sql("INSERT INTO sso_link (id_hash, user_id, issuer, role, return_to, created_at, expires_at) VALUES "
            "(UNHEX(SHA2('%s', 256)), %d, 'local', 'member', '/', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 HOUR)"
            % (token, user(who)))
    return token


def nothing(who):
    return {}


ROWS = {
    "GET /": Row(303),
    "GET /login": Row(303),
    "POST /login": Row(403, page=403, form=nothing),
    "GET /login/code": Row(303),
    "POST /login/code": Row(403, page=403, form=nothing),
    "POST /logout": Row(204, form=nothing),
    "GET /session": Row(),
    "GET /migration/servers": Row(),
    "POST /migration/servers": Row(201, form=server_form),
    "GET /migration/servers/new": Row(),
    "POST /migration/servers/test": Row(page=200, form=lambda who: {"server_id": server(who), "user": "u", "password": "p"}),
    "GET /migration/servers/:id": Row(own=server),
    "POST /migration/servers/:id": Row(own=server, form=server_form),
    "GET /migration/servers/:id/delete": Row(own=server),
    "POST /migration/servers/:id/delete": Row(204, own=server, form=lambda who: {"confirm": "delete"}),
    "GET /migration/jobs": Row(),
    "POST /migration/jobs": Row(201, form=job_form),
    "GET /migration/jobs/new": Row(),
    "POST /migration/jobs/bulk": Row(form=lambda who: {"action": "retry", "ids": job()(who)}),
    "GET /migration/bulk/:id": Row(own=bulk, private=True),
    "POST /migration/bulk/:id": Row(own=bulk, private=True, form=nothing),
    "GET /migration/batches": Row(),
    "POST /migration/batches": Row(201, form=batch_form, json=True),
    "GET /migration/batches/:id": Row(own=batch),
    "GET /migration/batches/:id/report": Row(own=batch),
    "GET /migration/batches/:id/report.csv": Row(own=batch),
    "GET /migration/jobs/:id": Row(own=job()),
    "DELETE /migration/jobs/:id": Row(204, own=job(), form=nothing, query="?hard=true"),
    "GET /migration/jobs/:id/edit": Row(own=job()),
    "POST /migration/jobs/:id/edit": Row(own=job(), form=lambda who: {"source_user": "x", "dest_user": "y"}),
    "GET /migration/jobs/:id/cancel": Row(own=job("queued")),
    "POST /migration/jobs/:id/cancel": Row(own=job("queued"), form=nothing),
    "POST /migration/jobs/:id/rerun": Row(201, own=job(), form=lambda who: {"dry_run": "1"}),
    "GET /migration/jobs/:id/rerun": Row(own=job()),
    "GET /migration/jobs/:id/confirm-deletion": Row(own=counted),
    "POST /migration/jobs/:id/confirm-deletion": Row(201, own=counted, form=lambda who: {"count": "3", "understood": "1"}),
    "GET /migration/jobs/:id/remove-passwords": Row(own=job()),
    "POST /migration/jobs/:id/remove-passwords": Row(own=job(), form=nothing),
    "GET /migration/jobs/:id/delete": Row(own=job()),
    "POST /migration/jobs/:id/delete": Row(204, own=job(), form=lambda who: {"confirm": "delete"}),
    "GET /migration/jobs/:id/tail": Row(own=job()),
    "GET /migration/jobs/:id/log": Row(own=job()),
    "GET /migration/import": Row(),
    "POST /migration/import": Row(422, page=422, form=nothing),
    "GET /migration/import/template.csv": Row(),
    "GET /migration/import/:id": Row(own=import_, private=True),
    "GET /migration/import/:id/bad.csv": Row(own=import_, private=True),
    "POST /migration/import/:id/confirm": Row(201, own=import_, private=True,
                                              form=lambda who: {"tag": "t%d" % os.getpid() + who.name + str(web.names)}),
    "POST /migration/import/:id/discard": Row(204, own=import_, private=True, form=nothing),
    "GET /migration/accounts": Row(),
    "POST /migration/accounts": Row(201, form=account_form),
    "GET /migration/accounts/new": Row(),
    "GET /migration/accounts/:id": Row(own=account),
    "POST /migration/accounts/:id": Row(own=account, form=account_form),
    "GET /migration/accounts/:id/suspend": Row(own=account),
    "POST /migration/accounts/:id/suspend": Row(own=account, form=nothing),
    "POST /migration/accounts/:id/resume": Row(own=account, form=nothing),
    "GET /migration/accounts/:id/close": Row(own=account),
    "POST /migration/accounts/:id/close": Row(own=account, form=lambda who: {"confirm": "close"}),
    "GET /migration/users": Row(),
    "POST /migration/users": Row(201, page=201, form=user_form),
    "GET /migration/users/new": Row(),
    "GET /migration/users/:id": Row(own=user),
    "POST /migration/users/:id/role": Row(own=user, form=lambda who: {"role": "admin"}),
    "POST /migration/users/:id/disable": Row(own=user, form=nothing),
    "POST /migration/users/:id/enable": Row(own=user, form=nothing),
    "POST /migration/users/:id/sign-out": Row(own=user, form=nothing),
    "POST /migration/users/:id/link": Row(page=200, own=user, form=nothing),
    "POST /migration/users/:id/second-factor-off": Row(own=user, form=nothing),
    "POST /migration/users/:id/external-ids": Row(own=user, form=lambda who: {"external_ids": "panel u%d" % web.names}),
    "GET /migration/workers": Row(),
    "GET /migration/audit": Row(),
    "GET /migration/audit.csv": Row(),
    "GET /migration/jobs/:id/log-links": Row(own=job()),
    "POST /migration/jobs/:id/log-links": Row(201, own=job(), form=nothing),
    "POST /migration/log-links/:id/revoke": Row(204, own=log_link, form=nothing),
    "GET /log/:token": Row(404, token=lambda who: "1-" + "0" * 64),
    "GET /migration/settings": Row(),
    "POST /migration/settings": Row(200, page=303, form=lambda who: {"mail_on_done": "1"}),
    "GET /migration/second-factor": Row(),
    "POST /migration/second-factor": Row(page=200, form=lambda who: {"password": PASSWORD}),
    "POST /migration/second-factor/confirm": Row(422, page=422, form=nothing),
    "POST /migration/second-factor/codes": Row(409, page=409, form=nothing),
    "POST /migration/second-factor/off": Row(409, page=409, form=nothing),
    "GET /migration/tokens": Row(),
    "POST /migration/tokens": Row(201, page=201, form=lambda who: {"name": "x", "jobs_read": "1"}),
    "POST /migration/tokens/:id/revoke": Row(204, own=token, form=nothing),
    "GET /openapi.json": Row(),
    "GET /welcome/:token": Row(token=welcome),
    "POST /welcome/:token": Row(403, page=403, token=welcome, form=nothing),
    "POST /migration/sso-links": Row(201, form=lambda who: {"user": "bob"}),
    "POST /sso/cpanel": Row(200, form=lambda who: {"user": "bob"}),
    "GET /sso/:token": Row(token=sso),
    "POST /sso/:token": Row(403, page=403, token=sso, form=nothing),
}
