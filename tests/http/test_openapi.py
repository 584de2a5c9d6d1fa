"""The description of the interface is whole, and tells the truth: it is made of the tables that serve it."""
import json
import re
import subprocess

import webstack
import tap
from tap import has, same

web = webstack.Stack()
member = web.sign_in("member")
DOC = web.anyone().get("/api/v1/openapi.json").json()
SERVER = web.add_server(web.acme, "Ours")


def operations():
    for path, item in DOC["paths"].items():
        for verb, op in item.items():
            yield path, verb, op


def test_it_is_openapi_3_1_as_json_and_needs_no_session():
    a = web.anyone().get("/api/v1/openapi.json")
    same((a.status, a.headers["Content-Type"]), (200, "application/json"))
    same((DOC["openapi"], DOC["servers"], sorted(DOC["info"])),
         ("3.1.0", [{"url": "/api/v1"}], ["description", "title", "version"]))


def test_every_route_a_token_may_use_is_described_and_no_other():
    out = subprocess.run([web.program, "--routes"], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout
    rows = [line.split("\t") for line in out.splitlines()]
    want = {(re.sub("^/migration", "", r[1]).replace(":id", "{id}"), r[0].lower()) for r in rows if r[5] != "-"}
    same({(path, verb) for path, verb, _ in operations()}, want)
    scopes = {(re.sub("^/migration", "", r[1]).replace(":id", "{id}"), r[0].lower()): r[5] for r in rows}
    for path, verb, op in operations():
        has(op["description"], "scopes: %s." % scopes[path, verb], path)


def test_ids_are_unique_references_lead_somewhere_and_parameters_are_declared():
    ids = [op["operationId"] for _, _, op in operations()]
    same(len(ids), len(set(ids)))
    for name in ids:
        assert re.fullmatch("[a-z_]+", name), name
    for ref in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOC)):
        at = DOC
        for part in ref.split("/"):
            at = at[part]
    for path, verb, op in operations():
        same(set(re.findall(r"{(\w+)}", path)), {p["name"] for p in op["parameters"] if p["in"] == "path"}, path)
        same([list(s) for s in op["security"]], [["token"]], path)
        assert op["responses"] and all("description" in r for r in op["responses"].values()), path


def test_every_described_address_is_served():
    """401 without a token: the route is there."""
    for path, verb, _ in operations():
        a = web.anyone().request(verb.upper(), "/api/v1" + path.replace("{id}", "1"))
        same((verb, path, a.status), (verb, path, 401))


def schema(path, verb="post"):
    return DOC["paths"][path][verb]["requestBody"]["content"]["application/json"]["schema"]


def test_a_body_made_after_the_description_is_accepted():
    a = member.post_json("/migration/tokens", {"name": "x", "jobs_write": "1", "servers_write": "1"})
    script = web.anyone(Authorization="Bearer " + a.json()["token"], **{"Content-Type": "application/json"})
    values = {"string": "a", "integer": SERVER, "boolean": True}
    for path in ("/jobs", "/servers"):
        props = schema(path)["properties"]
        body = {name: props[name].get("enum", [values[props[name]["type"]]])[0] for name in schema(path)["required"]}
        a = script.request("POST", "/api/v1" + path, json.dumps(body))
        same((path, a.status), (path, 201), a.text)
        for name in body:
            a = script.request("POST", "/api/v1" + path, json.dumps({k: v for k, v in body.items() if k != name}))
            same((path, name, a.status, name in a.json()["fields"]), (path, name, 422, True))


def test_the_limits_described_are_those_enforced():
    props = schema("/jobs")["properties"]
    body = {"source_server_id": SERVER, "source_user": "a", "source_password": "p", "dest_server_id": SERVER,
            "dest_user": "b", "dest_password": "p"}
    for name, p in props.items():
        bad = "x" * (p["maxLength"] + 1) if p["type"] == "string" else -1
        if p["type"] != "boolean":
            a = member.post_json("/migration/jobs", dict(body, **{name: bad}))
            same((name, a.status, name in a.json()["fields"]), (name, 422, True))
    same({n for n, p in props.items() if p.get("writeOnly")}, {"source_password", "dest_password"})


if __name__ == "__main__":
    tap.run(globals())
