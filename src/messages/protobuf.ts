// Messages of Protocol Buffers as bytes and back: what the generated codecs are made of.

/** What a field holds: a scalar, or another message by its codec. */
type FieldType = "string" | "bool" | "int32" | MessageCodec<object>;

/** One field of a message, as the `.proto` declares it. A map is one of strings by strings. */
export interface MessageField {
  readonly number: number;
  readonly name: string;
  readonly type: FieldType;
  readonly label?: "repeated" | "map";
}

/** Makes bytes of a message, and a message of bytes. */
export interface MessageCodec<Message extends object> {
  /** What is absent stays absent on the wire, and is read as empty, false or zero. */
  encode(message: Partial<Message>): Buffer;
  /**
   * @throws {TypeError} for bytes that are not this message. A field that is not known is skipped; one that is known
   * and has another type is refused, though the format lets a reader skip it: such an answer is none.
   */
  decode(bytes: Uint8Array): Message;
}

/** A unary method as `@grpc/grpc-js` takes it, in a service's definition and in `Client.makeUnaryRequest`. */
export interface UnaryMethod<Request extends object, Response extends object> {
  readonly path: string;
  readonly requestStream: false;
  readonly responseStream: false;
  readonly requestSerialize: (request: Partial<Request>) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (response: Partial<Response>) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** A unary method of these two messages. */
export function unaryMethod<Request extends object, Response extends object>(
  path: string,
  request: MessageCodec<Request>,
  response: MessageCodec<Response>,
): UnaryMethod<Request, Response> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message) => request.encode(message),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (message) => response.encode(message),
    responseDeserialize: (bytes) => response.decode(bytes),
  };
}

type Values = Record<string, unknown>;

const varintType = 0;
const fixed64Type = 1;
const bytesType = 2;
const fixed32Type = 5;
const maxVarintBytes = 10;

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function malformed(): TypeError {
  return new TypeError("not a message of this type");
}

function wireTypeOf({ type, label }: MessageField): number {
  return label === "map" || (type !== "bool" && type !== "int32") ? bytesType : varintType;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function tagged({ number }: MessageField, wireType: number, ...content: readonly Buffer[]): Buffer {
  return Buffer.concat([varint(BigInt(number * 8 + wireType)), ...content]);
}

function lengthDelimited(field: MessageField, content: Buffer): Buffer {
  return tagged(field, bytesType, varint(BigInt(content.length)), content);
}

const mapEntry: MessageCodec<{ key: string; value: string }> = messageCodec([
  { number: 1, name: "key", type: "string" },
  { number: 2, name: "value", type: "string" },
]);

/** Undefined for a value that is the default: proto3 writes none. */
function encodeValue(field: MessageField, value: unknown, isListed: boolean): Buffer | undefined {
  const { type } = field;
  if (value === undefined) return undefined;
  if (type === "string") {
    const content = Buffer.from(value as string);
    return content.length === 0 && !isListed ? undefined : lengthDelimited(field, content);
  }
  if (type === "bool" || type === "int32") {
    const number = BigInt(Number(value));
    return number === 0n && !isListed ? undefined : tagged(field, varintType, varint(number));
  }
  return lengthDelimited(field, type.encode(value as object));
}

function encodeField(field: MessageField, value: unknown): readonly (Buffer | undefined)[] {
  if (value === undefined) return [];
  if (field.label === "map") {
    return Object.entries(value as Record<string, string>).map(([key, item]) =>
      lengthDelimited(field, mapEntry.encode({ key, value: item })),
    );
  }
  if (field.label !== "repeated") return [encodeValue(field, value, false)];
  return (value as readonly unknown[]).map((item) => encodeValue(field, item, true));
}

/** Reads bytes from the front. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let index = 0; index < maxVarintBytes; index += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw malformed();
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return value;
    }
    throw malformed();
  }

  take(length: bigint): Uint8Array {
    if (length > BigInt(this.#bytes.length - this.#at)) throw malformed();
    const start = this.#at;
    this.#at += Number(length);
    return this.#bytes.subarray(start, this.#at);
  }

  skip(wireType: number): void {
    if (wireType === varintType) this.varint();
    else if (wireType === fixed64Type) this.take(8n);
    else if (wireType === bytesType) this.take(this.varint());
    else if (wireType === fixed32Type) this.take(4n);
    else throw malformed();
  }
}

function decodeValue({ type }: MessageField, reader: Reader): unknown {
  if (type === "bool") return reader.varint() !== 0n;
  if (type === "int32") return Number(BigInt.asIntN(32, reader.varint()));
  const content = reader.take(reader.varint());
  return type === "string" ? text.decode(content) : type.decode(content);
}

function emptyValue({ type, label }: MessageField): unknown {
  if (label === "repeated") return [];
  if (label === "map") return Object.create(null);
  if (type === "string") return "";
  if (type === "bool") return false;
  return type === "int32" ? 0 : undefined;
}

function decodeInto(values: Values, field: MessageField, reader: Reader): void {
  const { name, label } = field;
  if (label === "map") {
    const { key, value } = mapEntry.decode(reader.take(reader.varint()));
    (values[name] as Record<string, string>)[key] = value;
  } else if (label === "repeated") {
    (values[name] as unknown[]).push(decodeValue(field, reader));
  } else {
    values[name] = decodeValue(field, reader);
  }
}

/**
 * The codec of a message with these fields.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export function messageCodec<Message extends object>(
  fields: readonly MessageField[],
): MessageCodec<Message> {
  const byNumber = new Map(fields.map((field) => [field.number, field]));
  return {
    encode(message) {
      const values = message as Values;
      const parts = fields.flatMap((field) => encodeField(field, values[field.name]));
      return Buffer.concat(parts.filter((part) => part !== undefined));
    },
    decode(bytes) {
      const values = Object.create(null) as Values;
      for (const field of fields) values[field.name] = emptyValue(field);
      const reader = new Reader(bytes);
      while (!reader.isAtEnd) {
        const tag = reader.varint();
        const wireType = Number(tag & 7n);
        const field = byNumber.get(Number(tag >> 3n));
        if (tag >> 3n === 0n) throw malformed();
        if (field === undefined) reader.skip(wireType);
        else if (wireType !== wireTypeOf(field)) throw malformed();
        else decodeInto(values, field, reader);
      }
      return values as Message;
    },
  };
}
