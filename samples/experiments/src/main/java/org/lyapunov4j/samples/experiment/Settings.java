// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.Optional;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.samples.data.DataSource;

/**
 * What the user may choose.
 *
 * @param data what is learned, if it was named
 * @param seeds the number of seeds, 1, 2, …
 * @param length factor for the number of steps, 1 for the experiment as documented
 */
record Settings(Optional<DataSource> data, int seeds, double length) {
  /** So many steps, at least one. */
  int steps(int usual) {
    return (int) Math.max(1, Math.round(usual * length));
  }

  /** Refuses a choice of data where there is none. */
  void requireNoData(String experiment) {
    Input.require(
        data.isEmpty(), "%s takes no --data, got %s; leave it out", experiment, data.orElse(null));
  }

  /** Refuses to guess where the data are. */
  DataSource requireData(String experiment, String example) {
    Input.require(
        data.isPresent(), "%s needs --data, got none; for example --data %s", experiment, example);
    return data.get();
  }
}
