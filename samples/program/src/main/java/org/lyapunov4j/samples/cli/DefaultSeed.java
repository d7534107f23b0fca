// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.cli;

/** The seed of every command that is given none: that of the listener, Spark and core. */
public final class DefaultSeed {
  /** As an option's default. */
  public static final String OPTION = "1";

  /** What a seed of estimates is for, as an option's description. */
  public static final String OF_ESTIMATES =
      "Fixes every estimate bit for bit; the default is the listener's.";

  private DefaultSeed() {}
}
