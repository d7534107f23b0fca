// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.Map;

/**
 * A run that was executed to its end.
 *
 * @param id of the run
 * @param settings of the run
 * @param found in it
 * @param seconds it took
 */
record RunResult(String id, Map<String, String> settings, Measurements found, double seconds) {
  /** A setting. */
  String setting(String name) {
    String value = settings.get(name);
    if (value == null) {
      throw new IllegalArgumentException(id + " has no setting " + name + " but " + settings);
    }
    return value;
  }

  /** Whether the loss was no longer finite. */
  boolean diverged() {
    return value("diverged") != 0;
  }

  double value(String name) {
    return found.value(name);
  }

  double[] curve(String name) {
    return found.curve(name);
  }
}
