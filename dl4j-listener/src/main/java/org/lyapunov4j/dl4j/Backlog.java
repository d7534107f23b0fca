// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

/**
 * What happens to a checkpoint that is due while the background thread still computes one and
 * another waits.
 */
public enum Backlog {
  /** It is skipped, and counted. */
  SKIP,
  /** Training waits until there is room, so that no checkpoint is lost. */
  WAIT
}
