// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Stroke;

/**
 * Runs that differ in their seeds only.
 *
 * @param setting what they have in common
 * @param runs of it
 */
record Group<S>(S setting, List<RunResult> runs) {
  /**
   * The groups of runs.
   *
   * @param order of their settings; total
   */
  static <S> List<Group<S>> of(
      List<RunResult> results, Function<RunResult, S> setting, Comparator<S> order) {
    Map<S, List<RunResult>> runs =
        results.stream().collect(groupingBy(setting, () -> new TreeMap<>(order), toList()));
    List<Group<S>> groups = new ArrayList<>();
    runs.forEach((common, some) -> groups.add(new Group<>(common, some)));
    return groups;
  }

  /** The runs whose loss stayed finite. */
  List<RunResult> finite() {
    return runs.stream().filter(run -> !run.diverged()).toList();
  }

  /** The mean over the finite runs of the mean of a curve over the second half of training. */
  Mean late(String curve) {
    return Mean.of(finite().stream().mapToDouble(run -> run.late(curve)));
  }

  /** The mean loss of the finite runs at their end. */
  Mean loss() {
    return Mean.of(finite().stream().mapToDouble(run -> run.value("loss")));
  }

  /**
   * A curve for every finite run over the number of steps.
   *
   * @param legend of the first
   * @param factor for the values
   */
  List<Curve> curves(String legend, String curve, double factor, int colour) {
    List<Curve> curves = new ArrayList<>();
    for (RunResult run : finite()) {
      double[] steps = DoubleStream.of(run.curve("iteration")).map(i -> i + 1).toArray();
      double[] values = DoubleStream.of(run.curve(curve)).map(v -> v * factor).toArray();
      curves.add(new Curve(curves.isEmpty() ? legend : "", steps, values, colour, Stroke.LINE));
    }
    return curves;
  }
}
