// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import java.util.Locale;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a backward sweep takes outside the Java heap, known once the forward pass has shown the
 * shapes: the derivatives of all columns at one node, above and below it, their copy in the order
 * of the examples, and the parts of the Jacobian that are formed at a time.
 */
record SweepMemory(long bytes) {
  /** Arrays of a node's derivatives at a time: given, at z, and in the order of the examples. */
  private static final int COPIES = 3;

  /**
   * An estimate.
   *
   * @param nodes the network
   * @param values the outputs of its nodes
   * @param columns K
   * @param keepAll whether every node's derivatives are kept
   */
  static SweepMemory of(List<Node> nodes, List<INDArray> values, int columns, boolean keepAll) {
    long most = 0;
    long all = 0;
    int width = 0;
    for (int n = 0; n < nodes.size(); n++) {
      INDArray value = values.get(n);
      width = value.dataType().width();
      long entries =
          (long) COPIES * columns * value.length() + nodes.get(n).rule().workspace(columns);
      for (int input : nodes.get(n).inputs()) {
        entries += input < 0 ? 0 : columns * values.get(input).length();
      }
      most = Math.max(most, entries);
      all += entries;
    }
    return new SweepMemory(width * (keepAll ? all : most));
  }

  /** Refuses what exceeds a budget, before it is allocated. */
  void require(long budget) {
    if (bytes > budget) {
      throw UnsupportedModelException.ofSize(
          String.format(
              Locale.ROOT,
              "the derivatives of all columns need about %,d bytes outside the Java heap, the budget"
                  + " is %,d",
              bytes,
              budget),
          "use fewer examples or outputs, or raise offHeapBudget and"
              + " org.bytedeco.javacpp.maxphysicalbytes");
    }
  }

  /**
   * Three quarters of what JavaCPP lets this process still take; the rest stays for training, which
   * may go on meanwhile. Unlimited if JavaCPP sets no limit.
   */
  static long available() {
    return share(Pointer.maxPhysicalBytes(), Pointer.physicalBytes());
  }

  static long share(long limit, long taken) {
    return limit <= 0 ? Long.MAX_VALUE : Math.max(0, limit - taken) / 4 * 3;
  }
}
