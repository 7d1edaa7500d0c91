/** An agent that speaks OpAMP over plain HTTP and whose every text is an attack: what a machine in strange hands may send. */

/** Markup, script, terminal and bidi controls, and what hides. `{}` would be an expression in many a template. */
export const EVIL = '<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}\u001b[31m\u202Egnp.exe\u200b\u0007javascript:alert(3)';

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
const field = (number: number, bytes: Uint8Array | number[]): number[] => [...varint((number << 3) | 2), ...varint(bytes.length), ...bytes];
const text = (number: number, value: string): number[] => field(number, new TextEncoder().encode(value));
const whole = (number: number, value: number): number[] => [...varint(number << 3), ...varint(value)];
const attribute = (key: string, value: string): number[] => [...text(1, key), ...field(2, text(1, value))];

/** `AgentToServer` with a description, an unhealthy component and a config, as protobuf. */
function report(uid: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const identifying = [['service.name', EVIL], ['service.version', EVIL], ['service.instance.id', name]];
  const others = [['host.name', name], ['os.type', EVIL], ['host.arch', EVIL], ['<b>key</b>\u202e', EVIL], ['__proto__', EVIL]];
  const description = [
    ...identifying.flatMap(([key = '', value = '']) => field(1, attribute(key, value))),
    ...others.flatMap(([key = '', value = '']) => field(2, attribute(key, value))),
  ];
  const component = [...whole(1, 0), ...text(3, EVIL), ...text(4, EVIL)];
  const health = [...whole(1, 0), ...text(3, EVIL), ...text(4, EVIL), ...field(6, [...text(1, `output:${EVIL}`), ...field(2, component)])];
  const file = [...text(1, `# ${EVIL}\npipeline: {}\n`), ...text(2, 'text/yaml')];
  const effective = field(1, field(1, [...text(1, EVIL), ...field(2, file)]));
  // ReportsStatus, ReportsEffectiveConfig, ReportsHealth.
  const capabilities = 0x1 | 0x4 | 0x800;
  return new Uint8Array([
    ...field(1, uid),
    ...whole(2, 1),
    ...field(3, description),
    ...whole(4, capabilities),
    ...field(5, health),
    ...field(6, effective),
  ]);
}

/** Sends such a report; the agent's uid. */
export async function hostileAgent(agents: string, name = EVIL): Promise<string> {
  // A UUID of version 7 whose time is now.
  const uid = crypto.getRandomValues(new Uint8Array(16));
  new DataView(uid.buffer).setBigUint64(0, (BigInt(Date.now()) << 16n) | 0x7000n);
  uid[8] = 0x80;
  const response = await fetch(`http://${agents}/v1/opamp`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-protobuf' },
    body: report(uid, name),
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}: ${await response.text()}`);
  const hex = Buffer.from(uid).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
