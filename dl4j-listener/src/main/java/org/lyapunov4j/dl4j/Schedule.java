// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * When checkpoints are due. Immutable; schedules are joined with {@link #or}. Whatever the
 * schedule, {@link LyapunovListener#requestCheckpoint()} asks for one at the next iteration.
 */
public final class Schedule {
  /** One reason for a checkpoint. Asking allocates nothing. */
  private sealed interface Rule {
    default boolean isDueAt(int iteration) {
      return false;
    }

    default boolean isDueAfterEpoch(int epoch) {
      return false;
    }
  }

  private record EveryIterations(int count) implements Rule {
    @Override
    public boolean isDueAt(int iteration) {
      return iteration % count == 0;
    }

    @Override
    public String toString() {
      return "every " + count + " iterations";
    }
  }

  private record EveryEpochs(int count) implements Rule {
    @Override
    public boolean isDueAfterEpoch(int epoch) {
      return (epoch + 1) % count == 0;
    }

    @Override
    public String toString() {
      return "every " + count + " epochs";
    }
  }

  private record Logarithmic(int perDecade) implements Rule {
    @Override
    public boolean isDueAt(int iteration) {
      if (iteration <= 0) {
        return iteration == 0;
      }
      double last = Math.floor(perDecade * Math.log10(iteration) + 1e-9);
      return iteration == (long) Math.ceil(Math.pow(10, last / perDecade) - 1e-9);
    }

    @Override
    public String toString() {
      return perDecade + " per decade of iterations";
    }
  }

  private record LossSpike() implements Rule {
    @Override
    public String toString() {
      return "on a loss spike";
    }
  }

  private static final Schedule ON_REQUEST = new Schedule(List.of());

  private final List<Rule> rules;
  private final Rule[] asked;

  private Schedule(List<Rule> rules) {
    this.rules = List.copyOf(rules);
    asked = this.rules.toArray(Rule[]::new);
  }

  /**
   * At iterations 0, n, 2n, …
   *
   * @param count n, at least 1
   * @return the schedule
   */
  public static Schedule everyIterations(int count) {
    return new Schedule(List.of(new EveryIterations(requirePositive("iterations", count))));
  }

  /**
   * At the end of epochs n, 2n, …, counted from 1. Epochs end where training is told their number
   * or an iterator, not with {@code fit(DataSet)} or a {@code ParallelWrapper}.
   *
   * @param count n, at least 1
   * @return the schedule
   */
  public static Schedule everyEpochs(int count) {
    return new Schedule(List.of(new EveryEpochs(requirePositive("epochs", count))));
  }

  /**
   * At iteration 0 and at the first iterations from 10^(j/k) on, j = 0, 1, 2, …: dense early,
   * sparse late.
   *
   * @param perDecade k, at least 1
   * @return the schedule
   */
  public static Schedule logarithmic(int perDecade) {
    return new Schedule(
        List.of(new Logarithmic(requirePositive("checkpoints per decade", perDecade))));
  }

  /**
   * When the mini-batch loss jumps: when it exceeds the median of the latest 64 by more than six
   * robust standard deviations (interquartile range / 1.349) and by more than a tenth of the
   * median. The next 64 iterations then raise no further alarm.
   *
   * @return the schedule
   */
  public static Schedule onLossSpike() {
    return new Schedule(List.of(new LossSpike()));
  }

  /**
   * Only when asked for.
   *
   * @return the schedule
   */
  public static Schedule onRequest() {
    return ON_REQUEST;
  }

  /**
   * Whenever one of two is due.
   *
   * @param other the other
   * @return the union
   */
  public Schedule or(Schedule other) {
    return new Schedule(Stream.concat(rules.stream(), other.rules.stream()).distinct().toList());
  }

  boolean isDueAt(int iteration) {
    for (Rule rule : asked) {
      if (rule.isDueAt(iteration)) {
        return true;
      }
    }
    return false;
  }

  boolean isDueAfterEpoch(int epoch) {
    for (Rule rule : asked) {
      if (rule.isDueAfterEpoch(epoch)) {
        return true;
      }
    }
    return false;
  }

  boolean watchesLoss() {
    return rules.contains(new LossSpike());
  }

  /**
   * The schedule in words.
   *
   * @return for people
   */
  @Override
  public String toString() {
    return rules.isEmpty()
        ? "on request"
        : rules.stream().map(Rule::toString).collect(Collectors.joining(" or "));
  }

  private static int requirePositive(String what, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(what + " must be at least 1, got " + value);
    }
    return value;
  }
}
