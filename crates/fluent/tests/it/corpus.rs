//! Configs as they are found in the field, in both formats.

pub(crate) const CLASSIC: [&str; 7] = [
    "# node agent\n\n[SERVICE]\n    Flush         5\n    Daemon        Off\n    Log_Level     info\n    Parsers_File  parsers.conf\n    HTTP_Server   On\n    HTTP_Port     2020\n\n@SET cluster=eu-1\n\n[INPUT]\n    Name              tail\n    Tag               kube.*\n    Path              /var/log/containers/*.log\n    Parser            docker\n    DB                /var/log/flb_kube.db\n    Mem_Buf_Limit     5MB\n\n[FILTER]\n    Name                kubernetes\n    Match               kube.*\n    Merge_Log           On\n\n[OUTPUT]\n    Name  es\n    Match *\n    Host  ${ES_HOST:-localhost}\n    Index logs-${cluster}\n",
    "[SERVICE]\n\tflush 1\n\n[INPUT]\n\tname cpu\n\talias host cpu\n\n[OUTPUT]\n\tname null\n\tmatch *",
    "[SERVICE]\r\n  Flush 1\r\n\r\n[INPUT]\r\n  Name dummy\r\n  Dummy {\"gr\u{fc}\u{df}e\":\"\u{1f30a}\"}\r\n[OUTPUT]\r\n  Name stdout\r\n  Match *\r\n",
    "[INPUT]\n    Name dummy\n    # not now\n    #Rate 10\n\n[FILTER]\n    Name modify\n    Match *\n    Add a b\n    Rename c d\n    Add e f\n[OUTPUT]\n    Name null\n    Match *\n",
    "[INPUT]\n    Name tail\n    [multiline.rule] \n        state start\n        regex ^a b$\n    Path /x\n",
    "@SET A=1\n@set B=2\n[CUSTOM]\n    name calyptia\n",
    "",
];

pub(crate) const YAML: [&str; 8] = [
    "# node agent\nservice:\n  flush: 5\n  log_level: info\n  parsers_file: parsers.conf   # beside this file\n  http_server: on\n\nenv:\n  cluster: eu-1\n\npipeline:\n  inputs:\n    - name: tail\n      path: /var/log/containers/*.log\n      tag: kube.*\n      processors:\n        logs:\n          - name: content_modifier\n            action: insert\n            key: host\n            value: ${HOST}\n  filters:\n    - name: kubernetes\n      match: kube.*\n  outputs:\n    - name: es\n      match: '*'\n      host: ${ES_HOST:-localhost}\n",
    "service: {flush: 1, \"log_level\": 'debug'}\npipeline: {inputs: [{name: dummy}], outputs: [{name: \"null\", match: '*'}]}",
    "service:\r\n  flush: 1\r\npipeline:\r\n  inputs:\r\n    - name: dummy\r\n      dummy: '{\"gr\u{fc}\u{df}e\":\"\u{1f30a}\"}'\r\n  outputs:\r\n    - name: stdout\r\n      match: '*'\r\n",
    "parsers:\n  - name: json\n    format: json\nmultiline_parsers:\n  - name: java\n    type: regex\n    rules:\n      - state: start_state\n        regex: '/^\\d/'\n        next_state: cont\npipeline:\n  inputs:\n    - name: dummy\n      tag: a\n  outputs:\n    - name: null\n      match: a\n",
    "---\nservice:\n  log_file: |\n    /var/log/a\n---\npipeline:\n  inputs: []\n  outputs:\n    - name: stdout\n",
    "extensions:\n  any: [1, {deep: [2]}]\nstream_processor:\n  - name: a\n    exec: SELECT 1;\nplugins:\n  - /usr/lib/a.so\nupstream_servers:\n  - name: up\n    nodes:\n      - name: n1\n        host: h\n",
    "\u{feff}customs:\n- name: calyptia\n  api_key: '*'\n",
    "# nothing\n",
];
