// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs of an experiment without a campaign. */
final class Executed {
  private Executed() {}

  /** The results of the runs whose names match a regular expression. */
  static List<RunResult> results(
      Experiment experiment, Settings settings, String pattern, Path folder) throws IOException {
    List<RunResult> results = new ArrayList<>();
    for (Run run : experiment.runs(settings)) {
      if (run.id().matches(pattern)) {
        Path record = folder.resolve(run.id() + ".jsonl");
        Path state = folder.resolve(run.id() + ".state");
        Measurements found = run.execute(record, state, () -> false);
        results.add(new RunResult(run.id(), run.settings(), found, 0));
      }
    }
    return results;
  }
}
