// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.notebooks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What the text of the notebooks says of the numbers that their cells print, with room for another
 * processor: near its edge training amplifies the last bits, so that a curve is another one there.
 */
final class NotebookClaims {
  private static final String NUMBER = "([-+]?[0-9]+(?:\\.[0-9]+)?(?:e[-+]?[0-9]+)?)";

  private final String printed;

  private NotebookClaims(String printed) {
    this.printed = printed;
  }

  /** Fails where the text of a notebook says another thing than the output of its cells. */
  static void require(String notebook, String printed) {
    NotebookClaims claims = new NotebookClaims(printed);
    switch (notebook) {
      case "1-edge-of-stability.ipynb" -> claims.ofGradientDescent();
      case "2-sgd.ipynb" -> claims.ofSgd();
      case "3-pytorch.ipynb" -> claims.ofPyTorch();
      case "4-what-if.ipynb" -> claims.ofTheMap();
      case "5-act.ipynb" -> claims.ofActing();
      default -> throw new AssertionError("no claims are known of " + notebook);
    }
  }

  private void ofGradientDescent() {
    double[] verdicts = numbers("# checkpoints, # of them UNSTABLE");
    assertThat(verdicts[0]).isEqualTo(75);
    assertThat(verdicts[1]).as("hovers about its edge").isBetween(5.0, 60.0);
    double[] after = numbers("η·sharpness/2 is # to #, its median #");
    assertThat(after[0]).isGreaterThan(0.7);
    assertThat(after[1]).isLessThan(1.4);
    assertThat(after[2]).as("about 1").isBetween(0.97, 1.03);
    double[] loss = numbers("the loss falls from # to #.");
    assertThat(loss[1]).as("goes on falling").isLessThan(loss[0] / 10);
    double deepest = numbers("λ is never less than # nats")[0];
    assertThat(deepest).as("a hair below 0").isBetween(-0.01, 0.0);
  }

  private void ofSgd() {
    double[] edge =
        numbers("η/η_c is # after the first step and first seen above 1 at iteration #");
    assertThat(edge[0]).isLessThan(0.2);
    assertThat(edge[1]).isBetween(300.0, 1500.0);
    double[] late = numbers("to the end it is # to #, median #.");
    assertThat(late[0]).isGreaterThan(0.7);
    assertThat(late[2]).as("moves about 1").isBetween(0.9, 1.1);
    double[] classic = numbers("η·sharpness/2 is # to #, median #");
    assertThat(classic[1]).as("stays far below 1").isLessThan(0.4);

    List<double[]> batches = table("B      η_c   η/η_c   η·sharpness/2", 4);
    assertThat(batches).hasSize(5);
    for (double[] row : batches) {
      assertThat(row[3]).as("does not know B").isEqualTo(batches.get(0)[3]);
    }
    assertThat(batches.get(0)[2]).isGreaterThan(3 * batches.get(0)[3]);
    assertThat(batches.get(4)[2]).as("gradient descent").isEqualTo(batches.get(4)[3]);
  }

  private void ofPyTorch() {
    double[] stable = numbers("η = 0.2: STABLE, η/η_c = #, η·sharpness/2 = #");
    double[] unstable = numbers("η = 0.27: UNSTABLE, η/η_c = #, η·sharpness/2 = #");
    assertThat(stable[0]).isLessThan(1);
    assertThat(unstable[0]).isGreaterThan(1);
    assertThat(unstable[1]).as("fine by the classic gauge").isLessThan(1);
    double[] single = numbers("runs of # steps at η = 0.2: mean #, 95 % of them # to #.");
    double[] shrinking = numbers("η = 0.2: seen #, predicted # nats/step");
    assertThat(shrinking[0]).as("what single runs may do").isBetween(single[2], single[3]);
    double[] growing = numbers("η = 0.27: seen #, predicted # nats/step");
    assertThat(growing[0] / growing[1]).isBetween(0.85, 1.15);
  }

  private void ofTheMap() {
    double edge = numbers("2/sharpness = #")[0];
    List<double[]> curves = table("B    η_ms     η_c (95 %)                 2/sharpness", 6);
    assertThat(curves).hasSize(7);
    for (double[] row : curves) {
      assertThat(row[1]).as("η_ms ≤ η_c").isLessThanOrEqualTo(row[2]);
      assertThat(row[5]).isEqualTo(edge);
    }
    assertThat(curves.get(0)[2]).isLessThan(edge / 3);
    assertThat(curves.get(6)[2]).as("gradient descent").isEqualTo(edge);
    List<double[]> half = table("B   η/η_c   η·sharpness/2", 3);
    assertThat(half).hasSize(7);
    assertThat(half).allSatisfy(row -> assertThat(row[2]).isEqualTo(0.5));
    assertThat(half.get(0)[1]).as("far beyond").isGreaterThan(1.5);
    assertThat(half.get(6)[1]).isEqualTo(0.5);
  }

  private void ofActing() {
    assertThat(printed).contains("the best constant 1.");
    Outcome half = outcome("constant 0.5");
    Outcome tuned = outcome("constant 1.0");
    Outcome two = outcome("constant 2.0");
    Outcome gentle = outcome("hold gently");
    Outcome lowered = outcome("lower");
    for (Outcome safe : List.of(half, tuned, two, gentle, lowered)) {
      assertThat(safe.diverged()).isZero();
    }
    assertThat(numbers("hold # ")[0]).as("runs that diverge").isPositive();
    for (Outcome controlled : List.of(gentle, lowered)) {
      assertThat(controlled.reached()).isEqualTo(5);
      assertThat(controlled.steps()).as("no better").isGreaterThan(0.8 * tuned.steps());
      assertThat(controlled.loss() / tuned.loss()).isBetween(0.3, 3.0);
      assertThat(controlled.accuracy() - tuned.accuracy()).isBetween(-0.08, 0.02);
    }
    assertThat(gentle.steps()).as("sooner than from where it began").isLessThan(half.steps());
    assertThat(lowered.steps()).isLessThan(1.05 * two.steps());
    assertThat(numbers("Checkpoints took # % of the time")[0]).isGreaterThan(33);
  }

  private record Outcome(
      double diverged, double steps, double reached, double loss, double accuracy) {}

  private Outcome outcome(String policy) {
    double[] found = numbers(policy + " # # ± # (# of 5) # ± # # ± #");
    return new Outcome(found[0], found[1], found[3], found[4], found[6]);
  }

  /** The numbers that stand for # in what was printed, where blanks may be more than one. */
  private double[] numbers(String sentence) {
    String pattern =
        Arrays.stream(sentence.split("#", -1))
            .map(between -> Pattern.quote(between).replace(" ", "\\E +\\Q"))
            .collect(Collectors.joining(NUMBER));
    Matcher matcher = Pattern.compile(pattern).matcher(printed);
    assertThat(matcher.find()).as(sentence + " in" + System.lineSeparator() + printed).isTrue();
    double[] numbers = new double[matcher.groupCount()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = Double.parseDouble(matcher.group(i + 1));
    }
    return numbers;
  }

  /** The first numbers of each line below a head, as far as lines have that many. */
  private List<double[]> table(String head, int columns) {
    int start = printed.indexOf(head);
    assertThat(start).as(head).isNotNegative();
    return printed
        .substring(start)
        .lines()
        .skip(1)
        .map(line -> Pattern.compile(NUMBER).matcher(line).results().toList())
        .takeWhile(found -> found.size() >= columns)
        .map(
            f ->
                f.stream().limit(columns).mapToDouble(m -> Double.parseDouble(m.group())).toArray())
        .toList();
  }
}
