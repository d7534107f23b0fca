// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Which input each weight of a convolution meets at each position, in any number of dimensions:
 * entry (c, o) · t of a patch array p × T, with channel c and kernel offset o, is input c at
 * position t · stride − padding + o · dilation, or 0 outside.
 */
final class PatchMap {
  private final int[] index;
  private final int inputLength;
  private final int patchSize;
  private final int positions;

  private PatchMap(int[] index, int inputLength, int patchSize, int positions) {
    this.index = index;
    this.inputLength = inputLength;
    this.patchSize = patchSize;
    this.positions = positions;
  }

  /**
   * The geometry of a convolution; arrays have one entry for each dimension.
   *
   * @param channels input channels
   * @param channelsLast whether channels run fastest in the input
   * @param input input sizes
   * @param output output sizes
   * @param kernel kernel sizes
   * @param stride strides
   * @param padding what is added before the first entry
   * @param dilation distances between the kernel's entries
   */
  record Geometry(
      int channels,
      boolean channelsLast,
      Sizes input,
      Sizes output,
      Sizes kernel,
      Sizes stride,
      Sizes padding,
      Sizes dilation) {}

  /** Sizes of some dimensions. */
  static final class Sizes {
    private final int[] sizes;

    Sizes(int... sizes) {
      this.sizes = sizes.clone();
    }

    int get(int dimension) {
      return sizes[dimension];
    }

    int product() {
      return Arrays.stream(sizes).reduce(1, Math::multiplyExact);
    }

    int count() {
      return sizes.length;
    }

    /** The coordinate of a flat index along a dimension. */
    int coordinate(int flat, int dimension) {
      int rest = flat;
      for (int d = sizes.length - 1; d > dimension; d--) {
        rest /= sizes[d];
      }
      return rest % sizes[dimension];
    }
  }

  static PatchMap of(Geometry g) {
    int positions = g.output().product();
    int offsets = g.kernel().product();
    int pixels = g.input().product();
    int[] index = new int[Math.multiplyExact(g.channels() * offsets, positions)];
    for (int o = 0; o < offsets; o++) {
      for (int t = 0; t < positions; t++) {
        int pixel = pixel(g, o, t);
        for (int c = 0; c < g.channels(); c++) {
          index[(c * offsets + o) * positions + t] =
              pixel < 0 ? -1 : g.channelsLast() ? pixel * g.channels() + c : c * pixels + pixel;
        }
      }
    }
    return new PatchMap(index, pixels * g.channels(), g.channels() * offsets, positions);
  }

  /** The flat input position that kernel offset o meets at output position t, or −1 outside. */
  private static int pixel(Geometry g, int o, int t) {
    int flat = 0;
    for (int d = 0; d < g.input().count(); d++) {
      int at =
          g.output().coordinate(t, d) * g.stride().get(d)
              - g.padding().get(d)
              + g.kernel().coordinate(o, d) * g.dilation().get(d);
      if (at < 0 || at >= g.input().get(d)) {
        return -1;
      }
      flat = flat * g.input().get(d) + at;
    }
    return flat;
  }

  int patchSize() {
    return patchSize;
  }

  int positions() {
    return positions;
  }

  /** The patches of each row of a packed array: rows × p × T. */
  INDArray gather(INDArray inputs) {
    long rows = inputs.size(0);
    INDArray patches =
        Nd4j.createUninitialized(inputs.dataType(), new long[] {rows, patchSize, positions}, 'c');
    if (inputs.dataType() == DataType.DOUBLE) {
      double[] source = new double[inputLength];
      double[] target = new double[index.length];
      DoublePointer from = (DoublePointer) inputs.data().addressPointer();
      DoublePointer to = (DoublePointer) patches.data().addressPointer();
      for (long r = 0; r < rows; r++) {
        from.position(r * inputLength).get(source);
        for (int j = 0; j < index.length; j++) {
          target[j] = index[j] < 0 ? 0 : source[index[j]];
        }
        to.position(r * index.length).put(target);
      }
    } else {
      float[] source = new float[inputLength];
      float[] target = new float[index.length];
      FloatPointer from = (FloatPointer) inputs.data().addressPointer();
      FloatPointer to = (FloatPointer) patches.data().addressPointer();
      for (long r = 0; r < rows; r++) {
        from.position(r * inputLength).get(source);
        for (int j = 0; j < index.length; j++) {
          target[j] = index[j] < 0 ? 0 : source[index[j]];
        }
        to.position(r * index.length).put(target);
      }
    }
    return patches;
  }

  /** The transpose of {@link #gather}: adds one row's patches up in row r of a packed array. */
  void scatter(INDArray patches, INDArray inputs, long r) {
    if (inputs.dataType() == DataType.DOUBLE) {
      double[] source = new double[index.length];
      double[] target = new double[inputLength];
      ((DoublePointer) patches.data().addressPointer()).get(source);
      for (int j = 0; j < index.length; j++) {
        if (index[j] >= 0) {
          target[index[j]] += source[j];
        }
      }
      ((DoublePointer) inputs.data().addressPointer()).position(r * inputLength).put(target);
    } else {
      float[] source = new float[index.length];
      float[] target = new float[inputLength];
      ((FloatPointer) patches.data().addressPointer()).get(source);
      for (int j = 0; j < index.length; j++) {
        if (index[j] >= 0) {
          target[index[j]] += source[j];
        }
      }
      ((FloatPointer) inputs.data().addressPointer()).position(r * inputLength).put(target);
    }
  }
}
