// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;

/**
 * What went wrong inside the listener. The first failure of each activity is logged as a warning
 * with what to do about it, later ones at debug level; all are counted. Unless strict, nothing is
 * thrown.
 */
final class Troubles {
  private final Logger log;
  private final boolean strict;
  private final Set<String> seen = ConcurrentHashMap.newKeySet();
  private final AtomicLong count = new AtomicLong();

  Troubles(Logger log, boolean strict) {
    this.log = log;
    this.strict = strict;
  }

  /**
   * Reports a failure.
   *
   * @param activity what was being done, from a small fixed set
   * @param failure what was thrown
   * @throws IllegalStateException with the failure as its cause, if strict; never an {@code Error},
   *     which would hang a {@code ParallelWrapper}
   */
  void report(String activity, Throwable failure) {
    count.incrementAndGet();
    if (strict) {
      throw failure instanceof RuntimeException unchecked
          ? unchecked
          : new IllegalStateException(activity + " failed: " + failure, failure);
    }
    try {
      if (seen.add(activity)) {
        log.warn(
            "{} failed: {}. {} Training goes on; further failures are counted, and logged at debug level.",
            activity,
            failure.toString(),
            advice(failure),
            failure);
      } else {
        log.debug("{} failed again", activity, failure);
      }
    } catch (Throwable unloggable) {
      // Short of memory even a log line can fail, and there is nothing left to tell.
      count.incrementAndGet();
    }
  }

  long count() {
    return count.get();
  }

  private static String advice(Throwable failure) {
    if (failure instanceof OutOfMemoryError) {
      return "Use a smaller probe, or give the JVM more memory (-Xmx, org.bytedeco.javacpp.maxphysicalbytes).";
    }
    if (failure instanceof IllegalArgumentException || failure instanceof ArithmeticException) {
      return "Check whether the parameters, the learning rate and the probe are still finite.";
    }
    return "With strict(true) it would be thrown.";
  }
}
