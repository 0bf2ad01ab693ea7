// A machine whose clock is wrong. Changes when tests need another kind of wrong. For NODE_OPTIONS=--import=…, which is
// all that a real process can be given without another system clock: Date is shifted, monotonic time goes on as it is.
const shift = Number(process.env["LATCHKEY_TEST_CLOCK_SHIFT_SECONDS"] ?? "0") * 1000;
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...parameters) {
    if (parameters.length === 0) super(RealDate.now() + shift);
    else super(...parameters);
  }

  static now() {
    return RealDate.now() + shift;
  }
};
