// An agent on the public @elastic/opamp-client-node, for the tests in crates/testkit/tests/interop.
//
// It reads orders from stdin and writes events to stdout, both one JSON object a line; what the client logs goes to
// stderr. Orders are `start` and `stop`. After `stop`, `start` makes a new client with the same uid, which
// counts from 1 again.
//
// The client speaks plain HTTP only. It knows no commands, custom messages, health or effective configs, and says no
// farewell.

'use strict';

const diagnostics = require('node:diagnostics_channel');
const fs = require('node:fs');
const readline = require('node:readline');

// The client waits half a minute after a failure. The test does not: such waits are cut short, so that the number
// which each failed attempt burns is seen at once. Nothing else of the client is touched.
const LONG_MS = 20_000;
const SHORT_MS = 300;
const wait = globalThis.setTimeout;
globalThis.setTimeout = (then, ms, ...rest) => wait(then, ms >= LONG_MS ? SHORT_MS : ms, ...rest);

const {
    AgentCapabilities,
    DIAG_CH_SEND_FAIL,
    DIAG_CH_SEND_SUCCESS,
    RemoteConfigStatuses,
    createOpAMPClient,
} = require('@elastic/opamp-client-node');

// A config with this text in it cannot be applied.
const REFUSED = 'refuse me';

// A config that takes a moment to apply is seen as APPLYING.
const APPLY_MS = 200;

function say(event, facts = {}) {
    process.stdout.write(JSON.stringify({event, ...facts}) + '\n');
}

function hex(bytes) {
    return Buffer.from(bytes).toString('hex');
}

diagnostics.subscribe(DIAG_CH_SEND_SUCCESS, ({a2s}) => say('connected', {number: Number(a2s.sequenceNum)}));
diagnostics.subscribe(DIAG_CH_SEND_FAIL, ({a2s, err}) =>
    say('connect-failed', {number: Number(a2s.sequenceNum), error: String(err)})
);

let client;
let uid;

function attributes(name) {
    return {
        identifyingAttributes: {'service.name': 'opamp-node', 'service.version': '0.5.0'},
        nonIdentifyingAttributes: {'host.name': name, 'os.type': 'linux'},
    };
}

function start(order) {
    client = createOpAMPClient({
        endpoint: order.endpoint,
        headers: order.token ? {Authorization: `Bearer ${order.token}`} : {},
        connect: order.ca ? {ca: fs.readFileSync(order.ca)} : undefined,
        instanceUid: uid,
        heartbeatIntervalSeconds: order.heartbeat_ms / 1000,
        headersTimeout: order.timeout_ms,
        capabilities:
            AgentCapabilities.AgentCapabilities_AcceptsRemoteConfig |
            AgentCapabilities.AgentCapabilities_ReportsRemoteConfig,
        onMessage: ({remoteConfig}) => remoteConfig && apply(remoteConfig),
        diagEnabled: true,
        log: logger,
    });
    uid = client.getInstanceUid();
    client.setAgentDescription(attributes(order.name));
    client.start();
}

async function apply(config) {
    say('config', {hash: hex(config.configHash)});
    const report = (status, errorMessage = '') =>
        client.setRemoteConfigStatus({status, lastRemoteConfigHash: config.configHash, errorMessage});
    report(RemoteConfigStatuses.RemoteConfigStatuses_APPLYING);
    await new Promise((then) => setTimeout(then, APPLY_MS));
    const files = Object.values(config.config.configMap);
    if (files.some((file) => Buffer.from(file.body).includes(REFUSED))) {
        report(RemoteConfigStatuses.RemoteConfigStatuses_FAILED, 'it asks to be refused');
    } else {
        report(RemoteConfigStatuses.RemoteConfigStatuses_APPLIED);
    }
}

const log = (level) => (facts, text) => console.error(level, text ?? facts, facts?.err ?? '');
const logger = {
    trace() {},
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    fatal: log('fatal'),
};

async function main() {
    for await (const line of readline.createInterface({input: process.stdin})) {
        const order = JSON.parse(line);
        switch (order.do) {
            case 'start':
                start(order);
                break;
            case 'stop':
                await client.shutdown();
                say('stopped');
                break;
            default:
                throw new Error(`no such order: ${order.do}`);
        }
    }
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
