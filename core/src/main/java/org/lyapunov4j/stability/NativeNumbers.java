// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;

/** Numbers in native memory, rounded where it is in single precision; for several threads. */
interface NativeNumbers {
  /** Copies numbers from an array to a place. */
  void put(double[] source, int from, int at, int length);

  /** Copies numbers from a place to an array. */
  void get(int at, double[] target, int offset, int length);

  /** The numbers of a buffer. */
  static NativeNumbers of(DataBuffer buffer) {
    return buffer.dataType() == DataType.FLOAT
        ? new Floats(buffer.asNioFloat())
        : new Doubles(buffer.asNioDouble());
  }

  /** In single precision. */
  record Floats(FloatBuffer buffer) implements NativeNumbers {
    @Override
    public void put(double[] source, int from, int at, int length) {
      float[] rounded = new float[length];
      for (int i = 0; i < length; i++) {
        rounded[i] = (float) source[from + i];
      }
      buffer.duplicate().position(at).put(rounded);
    }

    @Override
    public void get(int at, double[] target, int offset, int length) {
      float[] rounded = new float[length];
      buffer.duplicate().position(at).get(rounded);
      for (int i = 0; i < length; i++) {
        target[offset + i] = rounded[i];
      }
    }
  }

  /** In double precision. */
  record Doubles(DoubleBuffer buffer) implements NativeNumbers {
    @Override
    public void put(double[] source, int from, int at, int length) {
      buffer.duplicate().position(at).put(source, from, length);
    }

    @Override
    public void get(int at, double[] target, int offset, int length) {
      buffer.duplicate().position(at).get(target, offset, length);
    }
  }
}
