// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BudgetTest {
  private long now;

  @Test
  void withoutABoundTheNextMayBeginAtOnce() {
    Budget budget = new Budget(Double.POSITIVE_INFINITY, () -> now);
    budget.finished(now - 100);
    assertThat(budget.allowsOneNow()).isTrue();
  }

  @Test
  void tellsOnceWhenCheckpointsAreDear() {
    assertThat(shares(Double.POSITIVE_INFINITY, 60)).containsExactly(0.6);
    assertThat(shares(Double.POSITIVE_INFINITY, 20)).isEmpty();
    assertThat(shares(0.05, 60)).isEmpty();
  }

  /** What is told in 30 checkpoints, training taking 100 between them; the first one takes long. */
  private List<Double> shares(double fraction, long each) {
    now = 0;
    Budget budget = new Budget(fraction, () -> now);
    List<Double> told = new ArrayList<>();
    for (int checkpoint = 0; checkpoint < 30; checkpoint++) {
      now += 100;
      long begun = budget.now();
      now += checkpoint == 0 ? 5000 : each;
      budget.kept(begun).ifPresent(told::add);
    }
    return told;
  }

  /** Training takes 7 a step and checkpoints, asked for at every step, take 100: 5 % is kept. */
  @Test
  void checkpointsTakeTheirShareAndNoMore() {
    Budget budget = new Budget(0.05, () -> now);
    long spent = 0;
    long trained = 0;
    for (int iteration = 0; iteration < 100_000; iteration++) {
      now += 7;
      trained += 7;
      if (budget.allowsOneNow()) {
        long begun = budget.now();
        now += 100;
        spent += 100;
        budget.finished(begun);
      }
    }
    assertThat((double) spent / trained).isBetween(0.0495, 0.05);
  }
}
