// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.lyapunov4j.samples.experiment.Extrapolation.Level;

/**
 * One number of one network at one moment, from probes of many sizes and from all examples.
 *
 * @param task of the run
 * @param quantity which number
 * @param iteration the moment
 * @param examples how many all are
 * @param whole from all examples
 * @param bySize from the probes of each size, in the order of the blocks; no size without one
 */
record SettlingNumber(
    String task,
    Quantity quantity,
    int iteration,
    int examples,
    double whole,
    NavigableMap<Integer, List<Double>> bySize) {

  /**
   * Which number.
   *
   * @param label for people
   * @param curve of the run
   * @param batchSize of the step
   */
  record Quantity(String label, String curve, int batchSize) {}

  /**
   * A probe with the two halves it is made of.
   *
   * @param change from its first half to all of it, relative
   * @param deviation from all examples, relative
   * @param extrapolatedDeviation of twice the probe less the mean of its halves, which removes what
   *     falls like 1/N
   */
  record Halved(double change, double deviation, double extrapolatedDeviation) {}

  /** All that is known of all examples in a run. */
  static List<SettlingNumber> of(RunResult run) {
    List<Quantity> quantities = new ArrayList<>();
    int[] batches =
        DoubleStream.of(run.curve("batchSize")).distinct().mapToInt(b -> (int) b).toArray();
    quantities.add(new Quantity("sharpness", "sharpness", batches[0]));
    for (int batch : batches) {
      quantities.add(new Quantity("η_c, B = " + batch, "criticalRate", batch));
    }
    quantities.add(new Quantity("η_ms, B = " + batches[0], "meanSquareRate", batches[0]));
    List<SettlingNumber> numbers = new ArrayList<>();
    for (Quantity quantity : quantities) {
      for (double moment : DoubleStream.of(run.curve("moment")).distinct().toArray()) {
        SettlingNumber number = of(run, quantity, moment);
        if (Double.isFinite(number.whole) && !number.bySize.isEmpty()) {
          numbers.add(number);
        }
      }
    }
    return numbers;
  }

  private static SettlingNumber of(RunResult run, Quantity quantity, double moment) {
    NavigableMap<Integer, List<Double>> bySize = new TreeMap<>();
    int[] chosen =
        IntStream.range(0, run.curve("size").length)
            .filter(i -> run.curve("moment")[i] == moment)
            .filter(i -> run.curve("batchSize")[i] == quantity.batchSize())
            .toArray();
    for (int i : chosen) {
      double value = run.curve(quantity.curve())[i];
      if (Double.isFinite(value)) {
        bySize.computeIfAbsent((int) run.curve("size")[i], key -> new ArrayList<>()).add(value);
      }
    }
    int examples = (int) DoubleStream.of(run.curve("size")).max().orElseThrow();
    List<Double> whole = bySize.remove(examples);
    return new SettlingNumber(
        run.setting("task"),
        quantity,
        (int) run.curve("iteration")[chosen[0]],
        examples,
        whole == null ? Double.NaN : whole.get(0),
        bySize);
  }

  /** Relative, without sign. */
  double deviation(double value) {
    return Math.abs(value / whole - 1);
  }

  /** Relative, with sign, of the probes of a size. */
  double[] deviations(int size) {
    return bySize.getOrDefault(size, List.of()).stream().mapToDouble(v -> v / whole - 1).toArray();
  }

  /** The probes whose halves are probes too. */
  List<Halved> halved() {
    List<Halved> halved = new ArrayList<>();
    for (Map.Entry<Integer, List<Double>> entry : bySize.entrySet()) {
      List<Double> halves = bySize.getOrDefault(entry.getKey() / 2, List.of());
      for (int d = 0; d < entry.getValue().size() && 2 * d + 1 < halves.size(); d++) {
        double value = entry.getValue().get(d);
        double first = halves.get(2 * d);
        halved.add(
            new Halved(
                Math.abs(1 - first / value),
                deviation(value),
                deviation(2 * value - (first + halves.get(2 * d + 1)) / 2)));
      }
    }
    return halved;
  }

  /** The mean of the largest probes. */
  double ofLargest() {
    return mean(bySize.lastEntry().getValue()).value();
  }

  private static Mean mean(List<Double> values) {
    return Mean.of(values.stream().mapToDouble(Double::doubleValue));
  }

  /** Whether there are enough sizes, and several probes of most. */
  boolean canExtrapolate() {
    return bySize.values().stream().filter(values -> values.size() > 1).count() > 2
        && bySize.size() > 3;
  }

  Extrapolation ofOrderOne() {
    return Extrapolation.ofOrderOne(levels(), examples);
  }

  Extrapolation ofAnyOrder() {
    return Extrapolation.ofAnyOrder(levels(), examples);
  }

  /**
   * The means with errors from a common variance over N: of the largest probes there are too few
   * for one of their own.
   */
  private List<Level> levels() {
    double squares = 0;
    int freedom = 0;
    for (Map.Entry<Integer, List<Double>> entry : bySize.entrySet()) {
      int count = entry.getValue().size();
      if (count > 1) {
        double error = mean(entry.getValue()).error();
        squares += (count - 1.0) * error * error * count * entry.getKey();
        freedom += count - 1;
      }
    }
    double variance = squares / freedom;
    return bySize.entrySet().stream()
        .map(
            entry -> {
              int count = entry.getValue().size();
              double error = Math.sqrt(variance / entry.getKey() / count);
              return new Level(
                  entry.getKey(), new Mean(mean(entry.getValue()).value(), error, count));
            })
        .toList();
  }
}
