// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.model;

import java.io.DataInputStream;
import java.io.IOException;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.shape.options.ArrayOptionsHelper;

/**
 * What stands before the numbers of an array that {@code Nd4j.write} wrote, checked before native
 * code gets to believe it: the buffer of rank, shape, strides, three further words, and the head of
 * the data.
 *
 * @param bytes of head and data
 * @param dataBytes of the data alone
 */
record ArrayHead(long bytes, long dataBytes) {
  private static final int HIGHEST_RANK = 32;
  private static final int WORDS_BESIDE_SHAPE = 4;

  /**
   * Reads a head; the stream is then at the data.
   *
   * @throws IllegalArgumentException if it is no head, or contradicts itself
   */
  static ArrayHead read(DataInputStream stream) throws IOException {
    Buffer shape = Buffer.read(stream);
    require(
        shape.type == DataType.INT64 || shape.type == DataType.INT32, "a shape of " + shape.type);
    require(
        shape.length >= WORDS_BESIDE_SHAPE && shape.length <= 2 * HIGHEST_RANK + WORDS_BESIDE_SHAPE,
        "a shape of " + shape.length + " words");
    long[] words = new long[(int) shape.length];
    for (int i = 0; i < words.length; i++) {
      words[i] = shape.type == DataType.INT64 ? stream.readLong() : stream.readInt();
    }
    Buffer data = Buffer.read(stream);
    require(
        data.type == DataType.DOUBLE
            || data.type == DataType.FLOAT
            || data.type == DataType.FLOAT16
            || data.type == DataType.BFLOAT16,
        "numbers of the type " + data.type);
    requireShape(words, data.length);
    requireType(words, data.type);
    long dataBytes = Math.multiplyExact(data.length, (long) data.type.width());
    long headBytes = shape.headBytes + (long) shape.type.width() * words.length + data.headBytes;
    return new ArrayHead(Math.addExact(headBytes, dataBytes), dataBytes);
  }

  private static void requireShape(long[] words, long length) {
    long rank = words[0];
    require(
        rank >= 1 && words.length == 2 * rank + WORDS_BESIDE_SHAPE,
        "rank " + rank + " in " + words.length + " words");
    long entries = 1;
    long last = 0;
    for (int i = 1; i <= rank; i++) {
      long side = words[i];
      long stride = words[(int) rank + i];
      require(side >= 1 && side <= length, "a side of " + side + " for " + length + " numbers");
      require(stride >= 0 && stride <= length, "a stride of " + stride);
      entries = entries > length ? entries : entries * side;
      last += (side - 1) * stride;
      require(last < length, "strides that leave the numbers");
    }
    require(entries == length, "a shape of other than " + length + " numbers");
  }

  /** Native code believes the type that is written with the shape; old files have none there. */
  private static void requireType(long[] words, DataType type) {
    long extras = words[words.length - 3];
    require(
        extras == 0 || ArrayOptionsHelper.dataType(extras) == type,
        "a shape for another type than " + type);
  }

  private static void require(boolean rule, String got) {
    if (!rule) {
      throw new IllegalArgumentException(got);
    }
  }

  /** The head of a data buffer: how it was allocated, its length, its type. */
  private record Buffer(long length, DataType type, int headBytes) {
    static Buffer read(DataInputStream stream) throws IOException {
      String allocation = stream.readUTF();
      boolean wide =
          switch (allocation) {
            case "LONG_SHAPE", "MIXED_DATA_TYPES" -> true;
            case "DIRECT", "HEAP", "JAVACPP" -> false;
            default -> throw new IllegalArgumentException("another kind of data");
          };
      long length = wide ? stream.readLong() : stream.readInt();
      String type = stream.readUTF();
      require(length >= 1 && length <= Long.MAX_VALUE / 16, "a buffer of length " + length);
      int bytes = 2 + allocation.length() + (wide ? Long.BYTES : Integer.BYTES) + 2 + type.length();
      return new Buffer(length, DataType.valueOf(type), bytes);
    }
  }
}
