// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointSink;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Verdict;
import org.slf4j.Logger;

/**
 * The log of a run: a line for each checkpoint, what nobody may miss when it is new, a warning when
 * training becomes unstable and one for a probe that is too small. At debug level the whole
 * document.
 */
final class LogSink implements CheckpointSink {
  /**
   * Relative change of sharpness or η_c, when the probe doubles, above which it counts as too
   * small.
   */
  private static final double PROBE_TOLERANCE = 0.1;

  private final Logger log;
  private final VerdictWatch verdicts = new VerdictWatch();
  private final Set<String> said = new HashSet<>();
  private boolean probeWarned;

  LogSink(Logger log) {
    this.log = log;
  }

  @Override
  public void accept(Checkpoint checkpoint) {
    log.info("{}", checkpoint);
    CheckpointDocument document = CheckpointDocument.of(checkpoint);
    warn(checkpoint.run(), document.cautions());
    log.debug("{}", document);
    if (checkpoint.findings() instanceof StabilityReport report) {
      warnOfASmallProbe(checkpoint);
      announceVerdict(checkpoint.run(), report, checkpoint.verdict().orElseThrow().kind());
    }
  }

  /** Each once; the same sentence with other numbers says nothing new. */
  private void warn(String run, List<String> cautions) {
    for (String caution : cautions) {
      if (said.add(caution.replaceAll("[0-9][0-9.,e+-]*", "#"))) {
        log.info("{}: {}", run, caution);
      }
    }
  }

  private void warnOfASmallProbe(Checkpoint checkpoint) {
    if (probeWarned) {
      return;
    }
    List<String> unsettled = unsettled(checkpoint);
    if (!unsettled.isEmpty()) {
      probeWarned = true;
      log.warn(
          "{}: half of the probe's {} examples give other results than all of them: {}. Use a"
              + " larger probe; the training set may differ by as much again.",
          checkpoint.run(),
          checkpoint.stability().examples(),
          String.join(", ", unsettled));
    }
  }

  /** What still depends on the size of the probe; λ does if its sign does. */
  private static List<String> unsettled(Checkpoint checkpoint) {
    List<String> moved = new ArrayList<>();
    if (checkpoint.probeChange() > PROBE_TOLERANCE) {
      moved.add("the sharpness differs by " + percent(checkpoint.probeChange()));
    }
    if (checkpoint.probeCriticalLearningRateChange() > PROBE_TOLERANCE) {
      moved.add(
          "the critical learning rate differs by "
              + percent(checkpoint.probeCriticalLearningRateChange()));
    }
    Sign whole = checkpoint.stability().exponent().sign();
    Sign half = checkpoint.comparableHalf().map(r -> r.exponent().sign()).orElse(whole);
    if (whole != half && whole != Sign.UNDECIDED && half != Sign.UNDECIDED) {
      moved.add("λ has the other sign");
    }
    return moved;
  }

  private static String percent(double fraction) {
    return Math.round(100 * fraction) + " %";
  }

  private void announceVerdict(String run, StabilityReport report, Verdict.Kind verdict) {
    switch (verdicts.observe(verdict)) {
      case BECAME_UNSTABLE ->
          log.warn(
              "{} has become unstable: {}. To train stably here {}.",
              run,
              report.verdict().evidence(),
              report
                  .advice()
                  .orElse("lower the learning rate, now " + report.step().learningRate()));
      case RECOVERED -> log.info("{} is stable again: {}", run, report.verdict().evidence());
      case NONE -> {}
    }
  }
}
