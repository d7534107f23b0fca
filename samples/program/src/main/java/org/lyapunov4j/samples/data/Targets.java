// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.data;

/** How a class number becomes a training target. */
public enum Targets {
  /** K = number of classes; 1 at the class, 0 elsewhere. */
  ONE_HOT,
  /** K = 1; the class number mapped linearly to −1 … 1. */
  SCALAR;

  float[] of(int label, int classes) {
    if (this == SCALAR) {
      return new float[] {2f * label / (classes - 1) - 1};
    }
    float[] target = new float[classes];
    target[label] = 1;
    return target;
  }

  @Override
  public String toString() {
    return this == ONE_HOT ? "one-hot" : "scalar";
  }
}
