// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.model;

import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/** How many threads ND4J computes with. */
public final class NativeThreads {
  private NativeThreads() {}

  /**
   * Limits the threads of array operations that the calling thread starts. Native threads that wait
   * for each other made the default training run five times as expensive on two busy cores.
   *
   * @param threads at least 1
   */
  public static void limit(int threads) {
    Nd4j.factory().blas().setMaxThreads(threads);
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(threads);
  }
}
