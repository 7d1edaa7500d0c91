/** Custom messages: what may be sent to an agent, payloads from forms, answers. Pure. */
import type { Schemas } from '../../api/client';

export const LOGS = 'io.tidegate.logs';

/** What a field of a form takes. */
export type Form = 'text' | 'number' | 'flag' | 'object' | 'list' | 'json';

/** A field of a message's form. */
export interface Field {
  readonly name: string;
  readonly form: Form;
  readonly required: boolean;
  /** What it means, in a sentence. */
  readonly meaning: string;
}

/** A message that may be sent. */
export interface Sendable {
  readonly key: string;
  readonly capability: string;
  /** Its type; null where the server does not know the capability: then the form asks for it. */
  readonly kind: string | null;
  readonly summary: string;
  readonly fields: readonly Field[];
  /** Stops something for good: is asked about once more. */
  readonly ends: boolean;
}

/** Filled in by the server; a form does not ask for them. */
const OWN = ['id', 'deadline_ms'];

/** The form of a capability that the server does not know. */
const ANY: readonly Field[] = [
  { name: 'type', form: 'text', required: true, meaning: 'The type of the message, as the agent knows it.' },
  { name: 'data', form: 'json', required: false, meaning: 'Any JSON.' },
];

/** What Tidegate's own supervisors take: pages of the console ask for most of it by themselves. */
const OURS = 'io.tidegate.';

/** What an agent may be sent: ChatOps and what others brought first. */
export function sendables(catalogue: Schemas['AgentCatalogue']): Sendable[] {
  const isOurs = (name: string) => Number(name.startsWith(OURS));
  const items = [...catalogue.items].sort((a, b) => isOurs(a.name) - isOurs(b.name));
  return items.flatMap(({ name: capability, known, messages }): Sendable[] => {
    if (!known) {
      const summary = 'This server does not know what it is for, and sends what you write.';
      return [{ key: capability, capability, kind: null, summary, fields: ANY, ends: false }];
    }
    return messages.map((message) => ({
      key: `${capability} ${message.type}`,
      capability,
      kind: message.type,
      summary: message.summary,
      fields: fieldsOf(message.arguments),
      ends: /shutdown/i.test(capability),
    }));
  });
}

/** The fields that a JSON schema of an object asks for, those that are needed first. */
export function fieldsOf(schema: Readonly<Record<string, unknown>>): Field[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const fields = Object.entries(schema.properties ?? {}).map(([name, property]: [string, unknown]): Field => {
    const { type, description } = (typeof property === 'object' && property !== null ? property : {}) as Record<string, unknown>;
    const meaning = typeof description === 'string' ? description : '';
    return { name, form: FORMS[String(type)] ?? 'json', required: required.includes(name), meaning };
  });
  return fields.filter((field) => !OWN.includes(field.name)).sort((a, b) => Number(b.required) - Number(a.required));
}

const FORMS: Readonly<Record<string, Form>> = {
  string: 'text',
  integer: 'number',
  number: 'number',
  boolean: 'flag',
  object: 'object',
  array: 'list',
};

/** What a field should begin with. */
export function beginning(field: Field): string {
  // Without it, an answer comes only when the call goes wrong.
  return field.name === 'reply' ? 'always' : '';
}

/** A payload, or what is wrong with the fields, by name. */
export type Payload = { readonly data: Record<string, unknown> } | { readonly errors: Record<string, string> };

/** The payload that the texts of a form stand for; what is left empty is left out. */
export function payload(fields: readonly Field[], texts: Readonly<Record<string, string>>): Payload {
  const data: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const text = texts[field.name] ?? '';
    if (text.trim() === '') {
      if (field.required) errors[field.name] = 'is needed';
      continue;
    }
    const value = read(field, text);
    if (typeof value === 'object' && value !== null && 'wrong' in value) errors[field.name] = String(value.wrong);
    else data[field.name] = (value as { right: unknown }).right;
  }
  return Object.keys(errors).length > 0 ? { errors } : { data };
}

function read(field: Field, text: string): { right: unknown } | { wrong: string } {
  if (field.form === 'text') return { right: text };
  if (field.form === 'flag') return text === 'true' ? { right: true } : { right: false };
  if (field.form === 'number') {
    const number = Number(text);
    return Number.isFinite(number) ? { right: number } : { wrong: 'is no number' };
  }
  try {
    const value: unknown = JSON.parse(text);
    if (field.form === 'json') return { right: value };
    const isList = Array.isArray(value);
    if (field.form === 'list') return isList ? { right: value } : { wrong: 'is no JSON list, such as ["a"]' };
    const isObject = typeof value === 'object' && value !== null && !isList;
    return isObject ? { right: value } : { wrong: 'is no JSON object, such as {"a": "b"}' };
  } catch (error) {
    return { wrong: `is no JSON: ${error instanceof Error ? error.message : 'it cannot be read'}` };
  }
}

/** A command in a few words. */
export function titleOf(command: Schemas['Command']): string {
  if (command.kind !== 'custom') return command.kind;
  const capability = command.capability?.split('.').at(-1) ?? 'custom';
  return command.type ? `${capability}: ${command.type}` : capability;
}

/** What an agent told of its log, as far as the answer has the right form. */
export interface Log {
  readonly lines?: readonly string[];
  readonly truncated?: boolean;
  readonly failure?: string;
}

export function logOf(command: Schemas['Command']): Log {
  const data: unknown = command.answer?.data;
  if (typeof data !== 'object' || data === null) return {};
  const told = data as Record<string, unknown>;
  if (command.answer?.type !== 'result' || !Array.isArray(told.lines)) {
    return typeof told.err_msg === 'string' ? { failure: told.err_msg } : {};
  }
  return { lines: told.lines.map((line) => String(line)), truncated: told.truncated === true };
}

/** An answer as text to read. */
export function answerText(answer: Schemas['Answer']): string {
  const data: unknown = answer.data;
  return typeof data === 'string' ? data : JSON.stringify(data, null, 2);
}
