// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * From time series, or images, to a row for each time step, or pixel, and back. Rows are i·T + t
 * here whatever Deeplearning4j's own order is; no layer in between mixes rows, so that only the two
 * ends need to agree.
 */
final class TimeStepsRule {
  private TimeStepsRule() {}

  /** N × C × positions… (or N × positions… × C) to N·T × C. */
  static final class Split extends LayerRule {
    private final boolean channelsLast;
    private long[] shape;

    Split(boolean channelsLast) {
      this.channelsLast = channelsLast;
    }

    /** The axis of an array that holds the values of a position. */
    int channelAxis(INDArray array) {
      return channelsLast ? array.rank() - 1 : 1;
    }

    @Override
    INDArray forward(int examples, INDArray input) {
      shape = input.shape();
      return shape.length == 2 ? input : rows(input, channelsLast);
    }

    @Override
    INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
      return shape.length == 2 ? epsilon : series(epsilon, shape, channelsLast);
    }
  }

  /** N·T × C to N × C × T, or N × T × C. */
  static final class Join extends LayerRule {
    private final boolean channelsLast;

    Join(boolean channelsLast) {
      this.channelsLast = channelsLast;
    }

    @Override
    INDArray forward(int examples, INDArray input) {
      long positions = input.size(0) / examples;
      long[] shape =
          channelsLast
              ? new long[] {examples, positions, input.size(1)}
              : new long[] {examples, input.size(1), positions};
      return series(input, shape, channelsLast);
    }

    @Override
    INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
      return rows(epsilon, channelsLast);
    }
  }

  /** Rows to rows of another shape. */
  static final class Reshape extends LayerRule {
    private final long[] tail;
    private long[] shape;

    Reshape(long... tail) {
      this.tail = tail;
    }

    @Override
    INDArray forward(int examples, INDArray input) {
      shape = input.shape();
      return reshape(input, tail);
    }

    @Override
    INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
      return reshape(epsilon, Arrays.copyOfRange(shape, 1, shape.length));
    }

    private static INDArray reshape(INDArray rows, long[] tail) {
      long[] full = new long[tail.length + 1];
      full[0] = rows.size(0);
      System.arraycopy(tail, 0, full, 1, tail.length);
      return StackedColumns.packed(rows).reshape('c', full);
    }
  }

  /** A series, or an image, with a row for each position. */
  static INDArray rows(INDArray series, boolean channelsLast) {
    long batch = series.size(0);
    long channels = series.size(channelsLast ? series.rank() - 1 : 1);
    long positions = series.length() / batch / channels;
    return channelsLast
        ? StackedColumns.packed(series).reshape('c', batch * positions, channels)
        : StackedColumns.packed(series)
            .reshape('c', batch, channels, positions)
            .permute(0, 2, 1)
            .dup('c')
            .reshape('c', batch * positions, channels);
  }

  /** Rows to the shape given, whose first dimension may be a multiple of what it says. */
  static INDArray series(INDArray rows, long[] shape, boolean channelsLast) {
    long channels = shape[channelsLast ? shape.length - 1 : 1];
    long positions = 1;
    for (long size : shape) {
      positions *= size;
    }
    positions /= shape[0] * channels;
    long[] full = shape.clone();
    full[0] = rows.size(0) / positions;
    return channelsLast
        ? StackedColumns.packed(rows).reshape('c', full)
        : StackedColumns.packed(rows)
            .reshape('c', full[0], positions, channels)
            .permute(0, 2, 1)
            .dup('c')
            .reshape('c', full);
  }
}
