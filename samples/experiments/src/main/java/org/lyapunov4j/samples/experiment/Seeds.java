// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

/** Keys of the independent random streams of one seed. */
final class Seeds {
  /** Which examples. */
  static final long EXAMPLES = 2;

  /** Mini-batches of a training that was continued. */
  static final long CONTINUATION = 3;

  private Seeds() {}
}
