// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

/** Keys of the independent random streams of one seed. */
final class Seeds {
  /** Which examples. */
  static final long EXAMPLES = 2;

  /** Mini-batches of a training that was continued. */
  static final long CONTINUATION = 3;

  /** Mini-batches of a training that no listener watches. */
  static final long BATCHES = 4;

  /** Which examples are a probe. */
  static final long PROBES = 5;

  private Seeds() {}
}
