"""The description of the interface is whole, and tells the truth: it is made of the tables that serve it."""
import glob
import json
import os
import re
import subprocess

import webstack
import tap
from tap import has, same

web = webstack.Stack(member_ports=["1-65535"])
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
         ("3.1.0", [{"url": "/api/v1"}], ["description", "license", "title", "version"]))


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
        same(set(re.findall(r"{(\w+)}", path)), {p["name"] for p in op["parameters"] if p.get("in") == "path"}, path)
        same([list(s) for s in op["security"]], [["token"]], path)
        assert op["responses"] and all("description" in r or "$ref" in r for r in op["responses"].values()), path


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
        if p["type"] not in ("boolean", "object"):  # options: test_options.py
            a = member.post_json("/migration/jobs", dict(body, **{name: bad}))
            same((name, a.status, name in a.json()["fields"]), (name, 422, True))
    same({n for n, p in props.items() if p.get("writeOnly")}, {"source_password", "dest_password"})


def test_a_linter_finds_nothing_wrong_with_it():
    cli = os.path.join(os.environ.get("MCV_NODE_MODULES", ""), "@redocly", "cli", "bin", "cli.js")
    if not os.path.exists(cli):
        raise tap.Skip("@redocly/cli is not installed (MCV_NODE_MODULES; ./check installs it)")
    file = os.path.join(web.dir, "openapi.json")
    with open(file, "w", encoding="utf-8") as f:
        json.dump(DOC, f)
    out = subprocess.run(
        ["node", cli, "lint", "--config", os.path.join(webstack.SRC, "tests", "http", "redocly.yaml"), "--format", "json", file],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
        env=dict(os.environ, REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true", CI="true"))
    found = json.loads(out.stdout)
    same([(p["ruleId"], p["severity"], p["message"], p["location"][0].get("pointer")) for p in found["problems"]][:20], [], out.stderr)
    same(out.returncode, 0, out.stderr)


def test_every_type_of_problem_is_listed_and_no_other():
    said = set()
    for name in glob.glob(os.path.join(webstack.SRC, "fcgi", "*.c")):
        with open(name, encoding="utf-8") as f:
            text = f.read()
        said.update(re.findall(r'\bcode = "([a-z0-9_]+)"', text))
        said.update(re.findall(r'\brefuse\(\s*v, (?:[0-9]+, )?"([a-z0-9_]+)"', text))
        for pair in re.findall(r'\bcode = [^,;"]*\? "([a-z0-9_]+)" : "([a-z0-9_]+)"', text):
            said.update(pair)
    same(sorted(DOC["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]),
         sorted(["about:blank"] + ["urn:mailconvoy:" + code for code in said]))


def test_what_can_go_wrong_is_described_where_it_can():
    for path, verb, op in operations():
        codes = set(op["responses"])
        same({"400", "401", "403", "429", "503", "default"} - codes, set(), (path, verb))
        same(("404" in codes, "422" in codes), ("{id}" in path, verb == "post"), (path, verb))
        for code, answer in op["responses"].items():
            if path == "/sso/cpanel":
                same(list(answer["content"]), ["application/json"], "cPanel's shape for all")
            elif code[0] in "45d":
                same(answer, {"$ref": "#/components/responses/" + code})
        for p in op["parameters"]:
            if p.get("$ref") == "#/components/parameters/IfMatch":
                has(codes, "412", path)
    for answer in DOC["components"]["responses"].values():
        same(list(answer["content"]), ["application/problem+json"])
    same(list(DOC["components"]["responses"]["429"]["headers"]), ["Retry-After"])


def test_a_list_of_jobs_made_after_the_description_is_accepted():
    s = schema("/batches")
    rows = s["properties"]["jobs"]["items"]
    same({n for n, p in rows["properties"].items() if p.get("writeOnly")}, {"source_password", "dest_password"})
    values = {"string": "a", "integer": SERVER}
    row = {name: values[rows["properties"][name]["type"]] for name in rows["required"]}
    a = member.post_json("/migration/tokens", {"name": "x", "jobs_write": "1"})
    script = web.anyone(Authorization="Bearer " + a.json()["token"], **{"Content-Type": "application/json"})
    body = {name: {"tag": "x", "jobs": [dict(row, source_user="list")]}[name] for name in s["required"]}
    a = script.request("POST", "/api/v1/batches", json.dumps(body))
    same(a.status, 201, a.text)
    for name in row:
        a = script.request("POST", "/api/v1/batches", json.dumps(dict(body, tag="y", jobs=[{k: v for k, v in row.items() if k != name}])))
        same((name, a.status, a.json()["rows"][0]["field"]), (name, 422, name))


if __name__ == "__main__":
    tap.run(globals())
