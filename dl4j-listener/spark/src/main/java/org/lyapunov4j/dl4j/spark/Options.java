// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;

/** The command line, checked as a whole before a job starts. */
final class Options {
  private static final Set<String> COMMON =
      Set.of("--data", "--keep", "--sampling", "--tier", "--seed", "--max-epochs");
  private static final Map<String, Set<String>> COMMANDS =
      Map.of(
          "analyze", Set.of("--models", "--batch-size"),
          "what-if", Set.of("--model", "--learning-rates", "--batch-sizes"));

  private final String command;
  private final Map<String, String> values = new LinkedHashMap<>();

  Options(String... args) {
    command = args.length == 0 ? "nothing" : args[0];
    if (!COMMANDS.containsKey(command)) {
      throw new IllegalArgumentException(
          "the command must be analyze or what-if, got " + command + "; see the usage below");
    }
    Set<String> known = new TreeSet<>(COMMON);
    known.addAll(COMMANDS.get(command));
    for (int i = 1; i < args.length; i += 2) {
      if (!known.contains(args[i])) {
        throw new IllegalArgumentException(
            command + " has the options " + String.join(", ", known) + "; got " + args[i]);
      }
      if (i + 1 == args.length || args[i + 1].startsWith("--")) {
        throw new IllegalArgumentException(args[i] + " must be followed by a value, got none");
      }
      if (values.put(args[i], args[i + 1]) != null) {
        throw new IllegalArgumentException(args[i] + " must be given once, got it twice");
      }
    }
    for (String required : COMMANDS.get(command)) {
      text(required);
    }
    text("--data");
    text("--keep");
  }

  boolean isAnalyze() {
    return command.equals("analyze");
  }

  String text(String name) {
    String value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException(command + " needs " + name + ", got none; add it");
    }
    return value;
  }

  List<String> list(String name) {
    return Arrays.asList(text(name).split(",", -1));
  }

  int count(String name) {
    return parse(name, text(name), "a whole number of at least 1", Options::positive);
  }

  List<Integer> counts(String name) {
    return list(name).stream()
        .map(value -> parse(name, value, "whole numbers of at least 1", Options::positive))
        .toList();
  }

  List<Double> rates(String name) {
    return list(name).stream()
        .map(value -> parse(name, value, "finite numbers above 0", Options::rate))
        .toList();
  }

  /** Settings that are given; the others stay at their defaults. */
  SparkStability apply(SparkStability stability) {
    if (values.containsKey("--sampling")) {
      stability.sampling(MiniBatchSampling.fromId(text("--sampling")));
    }
    if (values.containsKey("--tier")) {
      stability.tier(
          parse(
              "--tier",
              text("--tier"),
              "economy, standard or full",
              value -> Tier.valueOf(value.toUpperCase(Locale.ROOT))));
    }
    if (values.containsKey("--seed")) {
      stability.seed(parse("--seed", text("--seed"), "a whole number", Long::valueOf));
    }
    if (values.containsKey("--max-epochs")) {
      stability.maxEpochs(count("--max-epochs"));
    }
    return stability.keep(text("--keep"));
  }

  /** Checks what {@link #apply} and the commands will ask for. */
  void check() {
    apply(SparkStability.withoutContext());
    if (isAnalyze()) {
      count("--batch-size");
    } else {
      counts("--batch-sizes");
      rates("--learning-rates");
    }
  }

  private static int positive(String value) {
    int count = Integer.parseInt(value);
    if (count < 1) {
      throw new IllegalArgumentException("below 1");
    }
    return count;
  }

  private static double rate(String value) {
    double rate = Double.parseDouble(value);
    if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("no rate");
    }
    return rate;
  }

  private static <T> T parse(String name, String value, String rule, Function<String, T> parser) {
    try {
      return parser.apply(value);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + " must be " + rule + ", got '" + value + "'", e);
    }
  }
}
