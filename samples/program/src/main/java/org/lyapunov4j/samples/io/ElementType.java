// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.io;

import java.nio.ByteBuffer;

/** The kinds of numbers that files hold. What fits a float exactly becomes one. */
enum ElementType {
  BOOL(1, true),
  INT8(1, true),
  UINT8(1, true),
  INT16(2, true),
  UINT16(2, true),
  INT32(4, false),
  UINT32(4, false),
  INT64(8, false),
  UINT64(8, false),
  FLOAT16(2, true),
  BFLOAT16(2, true),
  FLOAT32(4, true),
  FLOAT64(8, false);

  private static final long LARGEST_INTEGER = 1L << 53;

  private final int size;
  private final boolean single;

  ElementType(int size, boolean single) {
    this.size = size;
    this.single = single;
  }

  /** Bytes in a file. */
  int size() {
    return size;
  }

  /** Whether every value is a float. */
  boolean isSinglePrecision() {
    return single;
  }

  /**
   * The next number.
   *
   * @throws IllegalArgumentException for an integer that no double holds
   */
  double next(ByteBuffer source) {
    return switch (this) {
      case BOOL -> source.get() == 0 ? 0 : 1;
      case INT8 -> source.get();
      case UINT8 -> source.get() & 0xff;
      case INT16 -> source.getShort();
      case UINT16 -> source.getShort() & 0xffff;
      case INT32 -> source.getInt();
      case UINT32 -> source.getInt() & 0xffffffffL;
      case INT64 -> exact(source.getLong(), -LARGEST_INTEGER);
      case UINT64 -> exact(source.getLong(), 0);
      case FLOAT16 -> half(source.getShort());
      case BFLOAT16 -> Float.intBitsToFloat(source.getShort() << 16);
      case FLOAT32 -> source.getFloat();
      case FLOAT64 -> source.getDouble();
    };
  }

  private static double exact(long value, long least) {
    if (value < least || value > LARGEST_INTEGER) {
      throw new IllegalArgumentException(
          "integers must be within 2^53 of 0 to be exact in double precision, got "
              + (least == 0 ? Long.toUnsignedString(value) : Long.toString(value))
              + "; save the array as float64");
    }
    return value;
  }

  /** IEEE 754 binary16. */
  private static float half(short bits) {
    int exponent = bits >> 10 & 0x1f;
    int fraction = bits & 0x3ff;
    int sign = (bits & 0x8000) << 16;
    if (exponent == 0x1f) {
      return Float.intBitsToFloat(sign | 0x7f800000 | fraction << 13);
    }
    float magnitude =
        Math.scalb(
            (float) (exponent == 0 ? fraction : fraction + 0x400), Math.max(exponent, 1) - 25);
    return sign == 0 ? magnitude : -magnitude;
  }
}
