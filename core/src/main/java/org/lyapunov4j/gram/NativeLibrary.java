// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The native linear algebra below ND4J: what it is, and what to do where it is wrong. */
public final class NativeLibrary {
  /** What to do about wrong results. */
  public static final String REMEDY =
      "put org.bytedeco:openblas 0.3.28-1.5.11 and javacpp 1.5.11 before those of ND4J (importing"
          + " lyapunov4j-bom does), or set the environment variable OPENBLAS_CORETYPE=HASWELL";

  private static final Logger LOG = LoggerFactory.getLogger(NativeLibrary.class);
  private static final AtomicBoolean WARNED = new AtomicBoolean();

  private NativeLibrary() {}

  /**
   * The version of OpenBLAS.
   *
   * @return such as {@code OpenBLAS 0.3.28}; empty on a backend without it
   */
  public static Optional<String> version() {
    return OpenBlas.version();
  }

  /**
   * The processor that OpenBLAS chose its kernels for.
   *
   * @return a name as {@code OPENBLAS_CORETYPE} takes it, such as {@code SKYLAKEX}; empty if it has
   *     kernels of one kind only, or there is no OpenBLAS
   */
  public static Optional<String> kernel() {
    return OpenBlas.kernel();
  }

  /**
   * Warns of a wrong result in the log, with the remedy; but once in the life of the process, since
   * the library will not mend.
   *
   * @param fault a sentence without its full stop
   */
  public static void warn(String fault) {
    if (WARNED.compareAndSet(false, true)) {
      LOG.warn(
          "{}. Results are checked, and wrong ones replaced, which takes longer. {}, {} kernels: {}."
              + " `lyapunov4j doctor` tells more",
          fault,
          version().orElse("No OpenBLAS"),
          kernel().orElse("unknown"),
          REMEDY);
    }
  }
}
