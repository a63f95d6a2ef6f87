//! Carrier by carrier: exactly the listed texts are claimed, in order, and nothing else.

use super::sample::{claimed, hits, table};
use super::*;

#[track_caller]
fn check(cases: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let got: Vec<_> =
            claimed(text.as_bytes()).into_iter().map(|span| String::from_utf8_lossy(&text.as_bytes()[span])).collect();
        if got != *expected {
            wrong.push(format!("{text}\n   expected {expected:?}\n   got      {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn json() {
    check(&[
        (r#"{"event":"login","user_id":8812,"password":"FAKE-zebra-19!x","ok":true}"#, &["FAKE-zebra-19!x"]),
        (r#"{"password":"FAKE\"quote\"tail-77","next":"stay"}"#, &[r#"FAKE\"quote\"tail-77"#]),
        (r#"{"password":"FAKE-ends-with-bs\\","next":"stay"}"#, &[r"FAKE-ends-with-bs\\"]),
        (r#"{"password":"","token":"x","n":1}"#, &["x"]),
        (r#"{"password" : "FAKE", "n":1}"#, &["FAKE"]),
        (r#"{"pin":4821,"pin_attempts":3,"spin":4821}"#, &["4821"]),
        (r#"{"pesel":90010112349,"amount":120}"#, &["90010112349"]),
        (r#"{"lat":50.06143,"lon":-19.93658,"latency":50.06143}"#, &["50.06143", "-19.93658"]),
        (r#"{"cvv":"123","cvv_result":"M","exp_month":"12"}"#, &["123"]),
        (r#"{"token":"FAKEdup1","token":"FAKEdup2","n":3}"#, &["FAKEdup1", "FAKEdup2"]),
        (r#"{"a":1,"token":"FAKEcat1"}{"b":2,"token":"FAKEcat2"}"#, &["FAKEcat1", "FAKEcat2"]),
        (r#"{"level":"error","body":{"password":"FAKE-cut-off-in-the-mid"#, &["FAKE-cut-off-in-the-mid"]),
        (r#"{"password":null,"token":"","secret":false,"api_key":"null-FAKE-false-77"}"#, &["null-FAKE-false-77"]),
        (
            r#"{"token_count":512,"max_tokens":4096,"password_reset_at":"2026-03-01T10:00:00Z","author":"b","key_id":"k"}"#,
            &[],
        ),
        (r#"{"keyboard":"pl","secretary_desk":"B2","authenticated":true,"tokens":18}"#, &[]),
        (
            r#"{"hasło":"F1","hasloUzytkownika":"F2","dbPassword":"F3","API-Key":"F4","x_auth_token":"F5","Client Secret":"F6"}"#,
            &["F1", "F2", "F3", "F4", "F5", "F6"],
        ),
        (r#"payload={"password":"FAKE-emb-3","n":1} took 12ms"#, &["FAKE-emb-3"]),
        (r#"{"date_of_birth":"1990-01-01","created_at":"2026-03-01"}"#, &["1990-01-01"]),
        (r#"{"first_name":"Żaneta","last_name":"Przykładowa","name":"daily-sync"}"#, &["Żaneta", "Przykładowa"]),
        (r#"{"auth":"basic","n":1,"auth":"c3ZjOkZBS0VyZWc3"}"#, &["c3ZjOkZBS0VyZWc3"]),
    ]);
}

#[test]
fn json_inside_strings() {
    check(&[
        (r#"{"m":"{\"client_secret\":\"FAKEnested7Qw2\",\"region\":\"eu\"}","l":1}"#, &["FAKEnested7Qw2"]),
        (
            r#"{"p":"{\"body\":\"{\\\"client_secret\\\":\\\"FAKEnested7Qw2\\\",\\\"r\\\":\\\"eu\\\"}\",\"attempt\":2}"}"#,
            &["FAKEnested7Qw2"],
        ),
        (r#"{"m":"{\"password\":\"FAKE\\\"mid\\\"end\",\"n\":1}"}"#, &[r#"FAKE\\\"mid\\\"end"#]),
        (r#"{"m":"{\"password\":\"FAKE\\\\\",\"n\":1}"}"#, &[r"FAKE\\\\"]),
        (r#"{"m":"{\"pin\":4821,\"n\":1}"}"#, &["4821"]),
        (r#"{"m":"{\"password\":\"FAKEcut","n":"x"}"#, &["FAKEcut"]),
        (r#"{"m":"User(password=FAKE-j, role=x)","n":1}"#, &["FAKE-j"]),
        (r#"{"m":"password=FAKE1\nnext line","n":1}"#, &["FAKE1"]),
        (r#"{"m":"say password='FAKE1","n":"it's"}"#, &["FAKE1"]),
        (r#"{"m":"{'password': 'FAKE\\'q'}","n":1}"#, &[r"FAKE\\'q"]),
        (r#"{"m":"cmd \"password=FAKE1\" now"}"#, &["FAKE1"]),
        (r#"{"status":"error: password=FAKEst9"}"#, &["FAKEst9"]),
    ]);
}

#[test]
fn containers() {
    check(&[
        (r#"{"tokens":["FAKEaaaa1111","FAKEbbbb2222"],"token_count":2}"#, &["FAKEaaaa1111", "FAKEbbbb2222"]),
        (
            r#"{"credentials":{"type":"basic","login":"svc-erp","extra":{"p1":"FAKE-deep-4471"}},"retry":1}"#,
            &["svc-erp", "FAKE-deep-4471"],
        ),
        (r#"{"m":"{\"tokens\":[\"FAKEa\",\"FAKEb\"]}","n":"x"}"#, &["FAKEa", "FAKEb"]),
        (r#"{"m":"{\"tokens\":[\"FAKEa\",\"FAK","n":"x"}"#, &["FAKEa", "FAK"]),
        (r#"{"pin":[1234,5678],"n":[1]}"#, &["1234", "5678"]),
        (r#"{"tokens":{"prompt":120,"completion":44}}"#, &[]),
        (r#""authorization":["Bearer FAKEb3Qw"] x"#, &["FAKEb3Qw"]),
        (r#"{"cookies":{"sid":"FAKEsid1","theme":"dark"}}"#, &["FAKEsid1", "dark"]),
        ("credentials={user=svc, pw=FAKE1}, n=2", &["svc", "FAKE1"]),
        ("tokens: [IDENT, COMMA]; secrets: [db-credentials, tls-cert] mounted", &[]),
        ("map[token:[FAKE-1] trace:[7]]", &["FAKE-1"]),
    ]);
}

#[test]
fn pairs_in_text() {
    check(&[
        (
            "level=info msg=\"login ok\" password=\"FAKE \\\"q\\\" x\" token=FAKElf7 dur=12ms",
            &[r#"FAKE \"q\" x"#, "FAKElf7"],
        ),
        ("token=FAKEone1;token=FAKEtwo2,password=FAKEthree3&x=1", &["FAKEone1", "FAKEtwo2", "FAKEthree3"]),
        (
            "PWD=/srv/app DB_PASSWORD=FAKE=a=b SECRET_KEY_BASE=FAKEskb7 TOKEN_TTL=3600 OLDPWD=/ L=pl",
            &["FAKE=a=b", "FAKEskb7"],
        ),
        ("password = \"correct horse FAKE staple\" port = 5432", &["correct horse FAKE staple"]),
        ("X-BLToken: FAKE-bl-77Qw X-Shop: demo", &["FAKE-bl-77Qw"]),
        ("db_password=changeme FTP_PASS=password123 root_pw=12345678", &["changeme", "password123", "12345678"]),
        ("smtp_password=FAKE-webhook-client-true", &["FAKE-webhook-client-true"]),
        ("user=jan;token=abc123FAKE456", &["abc123FAKE456"]),
        ("User(password=FAKE1, name=x) {Password:FAKE2 User:y}", &["FAKE1", "FAKE2"]),
        ("password=p;w,d&x! n=1", &["p;w,d&x!"]),
        ("tab password\t=\tFAKE1", &["FAKE1"]),
        ("hasło: „FAKEquo7” ok", &["FAKEquo7"]),
        ("secretName: erp-db; tokenReview ok; key=user:42:profile", &[]),
        ("pesel=90010112340 odrzucony", &["90010112340"]),
        ("nip: 123 456 32 18, x", &["123 456 32 18"]),
        ("nazwisko: Żak Kowalska, wiek: 3", &["Żak Kowalska"]),
        ("curl -H 'X-Api-Key: FAKEcurl2' -d '{\"password\":\"FAKEcurl3\"}' -o x", &["FAKEcurl2", "FAKEcurl3"]),
        ("token=FAKEnul7\0\r", &["FAKEnul7"]),
        ("password: String = 5", &["String"]),
    ]);
}

#[test]
fn dumps() {
    check(&[
        (r"{'password': 'FAKE\'q-31', 'user_ok': True, 'n': None}", &[r"FAKE\'q-31"]),
        (
            r#"params={:password=>"FAKE-rb-1", :page=>2} opts={ apiKey: 'FAKE-js-2', page: 2 }"#,
            &["FAKE-rb-1", "FAKE-js-2"],
        ),
        (r#"array(1) { ["password"]=> string(5) "FAKE1" ["n"]=> int(2) }"#, &["FAKE1"]),
        ("Array ( [password] => FAKE1 [n] => 2 )", &["FAKE1"]),
        ("user[password]=FAKE1&user[name]=x", &["FAKE1"]),
        (r#"Config { password: Some("FAKE1"), n: 2 }"#, &["FAKE1"]),
        ("{'password': b'FAKE1', 'n': 1}", &["FAKE1"]),
        (r#"@password="FAKE1", @n=2"#, &["FAKE1"]),
    ]);
}

#[test]
fn values_that_stay() {
    check(&[
        ("password=${DB_PASSWORD} token={{ vault_token }} api_key=<YOUR_API_KEY> secret=******** pw=[REDACTED]", &[]),
        ("password=${DB_PASSWORD:-FAKEdef7} url=jdbc:x://h?password=${PW}FAKEtail", &["FAKEdef7", "${PW}FAKEtail"]),
        (r#"{"email":"[EMAIL:9f2c]","password":"[REDACTED]","token":"[token]","pin":"[card-1111]"}"#, &[]),
        ("wrong password: 3 attempts; token: expired; password: required", &[]),
        ("Unexpected token } in JSON at position 12; token=EOF near line 3; invalid character in secret \"", &[]),
        ("Password must contain 8 characters; password reset requested; token expired; secret santa", &[]),
        ("Failed password for invalid user jan from 192.0.2.7 port 51122 ssh2", &[]),
        ("pass=12 fail=0; open private.key: permission; PASS: 3", &[]),
        ("tokens: [[token], [token]] Credential=[token] tokens=[[token-2]]", &[]),
        ("pass=null fail=0 bypass=true partition_key=7 sort_key=ts", &[]),
    ]);
}

#[test]
fn connection_strings() {
    check(&[
        ("jdbc:sqlserver://db:1433;databaseName=erp;user=app;password=FAKEjdbc7;encrypt=true", &["FAKEjdbc7"]),
        ("Driver={X};Server=db;Uid=app;Pwd={FAKE;semi}}x};Timeout=5", &["FAKE;semi}}x"]),
        ("Password=FAKE;1;User Id=app;Server=db", &["FAKE;1"]),
        ("AccountName=acct;AccountKey=RkFLRQABAg6Ow==;EndpointSuffix=core.windows.net", &["RkFLRQABAg6Ow=="]),
    ]);
}

#[test]
fn headers() {
    check(&[
        (
            "authorization: bearer FAKEb1.x_y-z~q+/== | Authorization=Bearer%20FAKEb2Qw | x",
            &["FAKEb1.x_y-z~q+/==", "FAKEb2Qw"],
        ),
        ("X-Amz-Credentials=FAKEAKIA%2F20260301%2Feu%2Fs3%2Faws4_request&x=1", &["FAKEAKIA"]),
        ("Authorization: FAKEraw77Qw2x", &["FAKEraw77Qw2x"]),
        ("h={authorization=[Bearer FAKE1], accept=[*/*]}", &["FAKE1"]),
        ("Cookie: a=FAKE1;b=FAKE2; c=\"FAKE 3\"", &["FAKE1", "FAKE2", "FAKE 3"]),
        (
            r#"Authorization: Digest username="jan", realm="x", nonce="fa4e", uri="/a?b=1", response="fa4ec0c7""#,
            &["jan", "fa4e", "fa4ec0c7"],
        ),
        (
            "Authorization: AWS4-HMAC-SHA256 Credential=AKIAFAKE/20260301/eu/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=fa4eab3d",
            &["AKIAFAKE", "fa4eab3d"],
        ),
        ("Cookie: theme=dark; JSESSIONID=fa4eb7b2; lang=pl", &["dark", "fa4eb7b2", "pl"]),
        ("Set-Cookie: __Host-sid=FAKEsid%2Babc; Path=/; Secure; Max-Age=3600", &["FAKEsid%2Babc"]),
        (
            r#"{"headers":{"Authorization":"Basic RkFLRTpGQUtF","Cookie":"a=FAKE1; b=FAKE2"}}"#,
            &["RkFLRTpGQUtF", "FAKE1", "FAKE2"],
        ),
    ]);
}

#[test]
fn names_that_are_values() {
    check(&[
        (
            r#"[{"name":"Authorization","value":"Bearer FAKEsib.9Qw"},{"name":"Accept","value":"application/json"}]"#,
            &["FAKEsib.9Qw"],
        ),
        (r#"{"value":"FAKE-before-name-55","key":"DB_PASSWORD","scope":"prod"}"#, &["FAKE-before-name-55"]),
        (r#"{"name":"password","on":true,"x":{"y":[1]},"value":"FAKE1"}"#, &["FAKE1"]),
        (r#"{"m":"{\"name\":\"password\",\"value\":\"FAKE1\"}"}"#, &["FAKE1"]),
        (r#"["Host","api.example.com","X-Api-Key","FAKEflat77Qw","Accept","*/*"]"#, &["FAKEflat77Qw"]),
        (r#"{"allow":["Authorization","X-Api-Key","Content-Type"],"required":["token","name"]}"#, &[]),
        (r#"[["password","FAKE1"],["user","x"]] [(b'authorization', b'Bearer FAKE2')]"#, &["FAKE1", "FAKE2"]),
        (r#"["run","--token","FAKE1","-v"]"#, &["FAKE1"]),
        (r#"<add key="Password" value="FAKE1"/><add value="FAKE2" key="ApiKey"/>"#, &["FAKE1", "FAKE2"]),
        (r#"<property name="password">FAKE1</property>"#, &["FAKE1"]),
        ("env {Name:DB_PASSWORD Value:FAKE1} name=API_KEY value=FAKE2 n=3", &["FAKE1", "FAKE2"]),
        (r#"{"apiVersion":"v1","data":{"a":"FAKE1"},"kind":"Secret","stringData":{"x":"FAKE2"}}"#, &["FAKE1", "FAKE2"]),
        (
            r#"{\"kind\":\"Secret\",\"data\":{\"tls.crt2\":\"RkFL==\"},\"stringData\":{\"x\":\"FAKE-2\"}}"#,
            &["RkFL==", "FAKE-2"],
        ),
        (
            r#"{"integration":"baselinker","config":{"value":"1234-5678-FAKEBL8ZM1","id":"a1b2c3d4e5f6g7h8"}}"#,
            &["1234-5678-FAKEBL8ZM1"],
        ),
        (
            r#"{"config":{"value":"1234-5678-FAKEBL8ZM1","n":1},"provider":"baselinker","n":"baselinker"}"#,
            &["1234-5678-FAKEBL8ZM1"],
        ),
        (r#"{"message":"bad password","next":"value","type":"token","text":"hello"}"#, &[]),
    ]);
}

#[test]
fn markup() {
    check(&[
        (
            r#"<cfg Password="FAKE&quot;x1" Port="5432"><apiKey>FAKEx2</apiKey><note>password policy</note></cfg>"#,
            &["FAKE&quot;x1", "FAKEx2"],
        ),
        (r#"<wsse:Password Type="x#PasswordText">FAKE1</wsse:Password>"#, &["FAKE1"]),
        ("<password><![CDATA[FAKE<1>]]></password>", &["FAKE<1>"]),
        ("<key>password</key> <string>FAKE1</string><token/>", &["FAKE1"]),
        ("<password></password><n>x</n>", &[]),
        (r#"{"m":"<password>FAKE1","n":"x"}"#, &["FAKE1"]),
        (r#"<apiKey id="7" value="FAKE1"/><timeout value="30"/>"#, &["FAKE1"]),
        (r#"<password type="x"/><token/>"#, &[]),
        (r#"<setting name="Password"><value>FAKE1</value></setting>"#, &["FAKE1"]),
    ]);
}

#[test]
fn flags() {
    check(&[
        (
            "run --password FAKEcli1 --token=FAKEcli2 --api-key \"FAKE cli 3\" --password-stdin --token-file /run/t --dry-run",
            &["FAKEcli1", "FAKEcli2", "FAKE cli 3"],
        ),
        ("run --token --dry-run; x -password FAKE1", &["FAKE1"]),
    ]);
}

#[test]
fn running_text() {
    check(&[
        ("hasło do konta to FAKE-Zażółć-7, proszę o reset", &["FAKE-Zażółć-7"]),
        ("password\tFAKEtab7 hasło: „FAKEquo7” ok", &["FAKEtab7", "FAKEquo7"]),
        ("your temporary password is hunter2x. Change it", &["hunter2x"]),
        ("password is required; password was changed; the password for jan is wrong", &[]),
        ("machine h login jan password secretword", &["secretword"]),
        ("NIP 123-456-32-18, VAT-UE PL1234563218, nip: 123 456 32 18", &["123-456-32-18", "123 456 32 18"]),
        ("PESEL: 90010112349, x; pesel 02210112348 ok", &["90010112349", "02210112348"]),
        ("cvv 123, call 601; kod to 482913", &["123", "482913"]),
        ("regon 123456785 i x; pesel odrzucony 7", &["123456785"]),
        ("ALTER USER app WITH PASSWORD 'FAKE''sql'; x", &["FAKE''sql"]),
        ("UPDATE u SET password = 'FAKE1' WHERE id = 3", &["FAKE1"]),
        ("secret \"erp-db\" created", &[]),
        ("SET PASSWORD FOR 'jan'@'h' = PASSWORD('FAKE1'); x.getToken('user')", &["FAKE1"]),
        ("AccessToken(value=FAKE1abc234567, type=bearer) Token(id=7)", &["FAKE1abc234567"]),
        ("Your password is now: hunter2x", &["hunter2x"]),
        ("Some(Login(jan,Password(FAKE1abc2))) getPassword(user)", &["FAKE1abc2"]),
        (
            "auth.token[aB3dE5fG7hJ9kL2mN4] token[index12] token:<aB3dE5fG7hJ9kL2mN4>",
            &["aB3dE5fG7hJ9kL2mN4", "<aB3dE5fG7hJ9kL2mN4>"],
        ),
        ("saved password Optional(\"FAKE1abc2\") for jan", &["FAKE1abc2"]),
        ("set ::env(DB_PASSWORD) \"FAKE1abc2\"", &["FAKE1abc2"]),
        ("Credentials = new Login(); password: new Secret()", &[]),
        ("login failed with password hunter22x for jan", &["hunter22x"]),
        ("grant_type=password&username=jan&password=FAKEgr7&scope=api", &["FAKEgr7"]),
        ("GET /cb?code=4/0FAKE&state=x HTTP/1.1\" 302, exit code=137", &["4/0FAKE"]),
        ("/cb#access_token=FAKEfrag9Qw&token_type=bearer&expires_in=3600", &["FAKEfrag9Qw"]),
        ("for Basic plan upgraded, Bearer of bad news; bearer token expired", &[]),
        ("Basic c3ZjLWVycDpGQUtFLWJhc2ljLTk= x", &["c3ZjLWVycDpGQUtFLWJhc2ljLTk="]),
        ("C: AUTH PLAIN AGphbgBGQUtFc210cDc= S: 235 ok", &["AGphbgBGQUtFc210cDc="]),
        ("sent Bearer FAKE77Qw2x ok", &["FAKE77Qw2x"]),
    ]);
}

#[test]
fn columns() {
    check(&[
        ("INSERT INTO users (email,pesel) VALUES ('jan@example.com','90010112349')", &["90010112349"]),
        ("insert into u (`id`, `password`, x) values (1, 'FA,K)E''1', 2), (2, 'FAKE2', 3);", &["FA,K)E''1", "FAKE2"]),
        ("SELECT id, password, x FROM u WHERE (token, n) IN (1)", &[]),
        (r#"{"q":"INSERT INTO u (\"id\",\"token\") VALUES (1,'FAKE1')","n":1}"#, &["FAKE1"]),
    ]);
}

#[test]
fn commands() {
    check(&[
        ("curl -u svc:FAKEcurl1 https://api.example.com/v1 -o out.json", &["FAKEcurl1"]),
        ("curl -sS --user=svc:FAKE1 x; curl -U p:FAKE2 y", &["FAKE1", "FAKE2"]),
        (
            "mysql -u root -pFAKEmy7 erp; docker run -p 8080:80 app; mkdir -p /srv/a; sshpass -p FAKEssh7 ssh h",
            &["FAKEmy7", "FAKEssh7"],
        ),
        ("ldapsearch -D cn=admin,dc=example,dc=com -w FAKEld7 -b dc=example", &["FAKEld7"]),
        ("redis-cli -h c -a 'FAKE red' ping", &["FAKE red"]),
        (r#"{"cmd":["mysql","-u","root","-pFAKE1","erp"],"n":1}"#, &["FAKE1"]),
        (r#"{"cmd":"sh -c \"mysql -pFAKE1\"","n":1}"#, &["FAKE1"]),
        (r#"{"cmd":"mysql -pFAKE1","n":1}"#, &["FAKE1"]),
        ("docker login -u svc -p FAKE1 registry.example.com", &["FAKE1"]),
        ("PGPASSWORD=FAKEpg7 psql -h db -c \"select 1\"", &["FAKEpg7"]),
        ("curl failed; using curl -v https://x -p y", &[]),
    ]);
}

/// Reads records one after the other with the carry between them, as the engine does.
fn claimed_over(records: &[&str]) -> Vec<String> {
    let table = table();
    let mut cursor = KeyCursor::default();
    let mut carry = None;
    let mut texts = Vec::new();
    for record in records {
        let mut out = Vec::new();
        cursor.begin(0..record.len());
        if let Some(carry) = carry {
            resume(record.as_bytes(), carry, &table, &mut cursor, &mut out);
        }
        for hit in hits(&table, record.as_bytes()) {
            find(record.as_bytes(), hit, &table, &mut cursor, &mut out);
        }
        carry = cursor.carry();
        texts.extend(out.iter().map(|f| String::from_utf8_lossy(f.span.of(record.as_bytes())).into_owned()));
    }
    texts
}

#[test]
fn values_over_several_records() {
    for (text, expected) in [
        (
            "{\n  \"user\": {\n    \"n\": 1,\n    \"password\":\n      \"FAKE-next-line-8\"\n  }\n}",
            vec!["FAKE-next-line-8"],
        ),
        ("db:\n  password: |\n    FAKE-yaml-1\n    FAKE-yaml-2\n  port: 5432", vec!["FAKE-yaml-1", "FAKE-yaml-2"]),
        ("x:\n  tokens: [\n    \"FAKEa\",\n    'FAKEb'\n  ]\n  n: \"y\"", vec!["FAKEa", "FAKEb"]),
        ("enter password:\nlogin ok", vec![]),
        ("password:\n  at com.example.Db.open(Db.java:41)", vec![]),
        ("credentials:\n  type: basic\n  user: svc x\n  key: 'FAKE1'\nport: 1", vec!["svc x", "FAKE1"]),
        ("- name: DB_PASSWORD\n  value: FAKE1\n- name: X\n  value: y", vec!["FAKE1"]),
        ("{\n \"name\": \"DB_PASSWORD\",\n \"value\": \"FAKE1\"\n}", vec!["FAKE1"]),
        ("secret: !vault |\n  FAKE1\nx: y", vec!["FAKE1"]),
        ("x:\n- tokens:\n  - FAKE1\n  - FAKE2", vec!["FAKE1", "FAKE2"]),
    ] {
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(claimed_over(&lines), expected, "{text}");
        assert_eq!(claimed_over(&[text]), expected, "as one record: {text}");
    }
}

#[test]
fn tables_forms_tuples_and_changes() {
    check(&[
        ("| db_password | FAKEcell77 | n | 7 |", &["FAKEcell77"]),
        ("| user | password | token |", &[]),
        ("cat password | base64 -d", &[]),
        (r#"form-data; name="password"\r\n\r\nFAKEform7\r\n--b"#, &["FAKEform7"]),
        ("form-data; name=\"password\"\r\n\r\nFAKEform7\r\n--b", &["FAKEform7"]),
        (r#"["Host","x","token","FAKE7value","run","1"]"#, &["FAKE7value"]),
        (r#"["token","email","password","name"]"#, &[]),
        (r#"[{user,"svc"},{password,<<"FAKEerl7">>}]"#, &["FAKEerl7"]),
        (r#"a:1:{s:8:"password";s:8:"FAKEphp7";}"#, &["FAKEphp7"]),
        (r#"~ password = "FAKEold7" -> "FAKEnew7""#, &["FAKEold7", "FAKEnew7"]),
        ("**password**: FAKEbold7", &["FAKEbold7"]),
    ]);
}

#[test]
fn what_programs_print_around_a_value() {
    check(&[
        (r#"["password", "FAKE$aVeZu", "timeout", 8701]"#, &["FAKE$aVeZu"]),
        (r#"["password", "address1", "timeout"]"#, &[]),
        (r#"["password", "iso8601Date", "base64Value", "sha256Hash"]"#, &[]),
        (r#"url.Values{"client_secret":[]string{"FAKEgo77"}, "page":[]string{"2"}}"#, &["FAKEgo77"]),
        (r#"{Addr: (string) (len=7) "db.acme", Password: (string) (len=8) "FAKEgo78"}"#, &["FAKEgo78"]),
        ("userPassword: {SSHA}FAKEkJ8/x==", &["{SSHA}FAKEkJ8/x=="]),
        ("spring.password={noop}FAKEnoop7 n=1", &["{noop}FAKEnoop7"]),
        ("credentials[password]: FAKEcol77 region: x", &["FAKEcol77"]),
        (r#"helm: set value "auth.rootPassword" to "FAKEhelm7" revision 9"#, &["FAKEhelm7"]),
        (r#"field "password" is required, "token" is not a number, "password" to be set"#, &[]),
        (r#"driver.findElement(By.id("password")).sendKeys("FAKE keys 7");"#, &["FAKE keys 7"]),
        ("page.fill('input[name=password]', 'FAKEfill7'); page.fill('#city', 'Gdynia')", &["FAKEfill7"]),
        ("cy.get('[data-test=password]').type('FAKEtype7') // 20.10", &["FAKEtype7"]),
        ("$('#password').addClass('is-invalid-7'); find('[name=password]').should('be.visible')", &[]),
        (r"X-Api-Key: FAKEhdr77\r\nPartition: 5985\r\n ref 7", &["FAKEhdr77"]),
        (r"password: FAKEline7\r\n ref fc969497", &["FAKEline7"]),
        (r"password: FAKE\new\red7 n=1", &[r"FAKE\new\red7"]),
        ("JWT_SECRET='O'\\''FAKEshell7' PORT=8080", &["O", "'\\''FAKEshell7"]),
        ("password=@p8uFAKEwi7JHK version=2", &["@p8uFAKEwi7JHK"]),
        ("a, last_name: Moreau ref 4813f380-6df0-4563-a27a-76755cbafe23", &["Moreau ref"]),
        ("curl -H 'last_name: O'Neil' ref 7", &["O'Neil"]),
        (
            "{'password': 'ojL5TLPH644QzkaelgozOd9myoPan/5Ph/2qXwn15pw='} ref 5876e671-c645",
            &["ojL5TLPH644QzkaelgozOd9myoPan/5Ph/2qXwn15pw="],
        ),
        ("checksum M7bVRE/a3catVF8a0iKh9fHxjXn1jNgDtA94qXzs1pw= host x; acme2Pw=FAKEpw77", &["FAKEpw77"]),
        ("const s = process.env.SECRET || 'FAKEelse7'; token ?? \"FAKEnull7\"", &["FAKEelse7", "FAKEnull7"]),
        ("expect(user.password).toBe('FAKEbe77') // 7", &["FAKEbe77"]),
        ("if (token || 'x' in password or args) { secret || retry }", &["x"]),
        (r#"{"secret":{"Key":"FAKEjwt7","ExpireMinutes":60}}"#, &["FAKEjwt7"]),
    ]);
}

#[test]
fn assignments_fields_and_sentences_of_every_kind() {
    check(&[
        ("ACME_TOKEN ?= FAKEmake7", &["FAKEmake7"]),
        ("ACME_TOKEN ::= \"FAKEmake8\"", &["FAKEmake8"]),
        ("$acmeToken .= \"FAKEphp77\";", &["FAKEphp77"]),
        ("acme_token ||= 'FAKErb77'", &["FAKErb77"]),
        ("char password[] = \"FAKEc77\";", &["FAKEc77"]),
        ("acmeToken,FAKEcsv77x,", &["FAKEcsv77x"]),
        ("token,secret,created_at", &[]),
        ("password ------ FAKErule77", &["FAKErule77"]),
        ("the password for user 'joe' is 'FAKEsay77' now", &["FAKEsay77"]),
        ("the password for user \"joe\" is stored", &[]),
        ("if token?.valid then token::parse()", &[]),
    ]);
}
