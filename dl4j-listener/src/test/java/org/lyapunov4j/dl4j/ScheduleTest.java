// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ScheduleTest {
  private long now;

  @Test
  void everySoManiethIterationIsDue() {
    Schedule schedule = new Schedule(3, Double.POSITIVE_INFINITY, () -> now);
    assertThat(schedule.isDue(0)).isTrue();
    assertThat(schedule.isDue(2)).isFalse();
    assertThat(schedule.isDue(3)).isTrue();
    schedule.finished(now);
    assertThat(schedule.isWithinBudget()).isTrue();
  }

  /** Training takes 7 a step and checkpoints, asked for at every step, take 100: 5 % is kept. */
  @Test
  void checkpointsTakeTheirShareAndNoMore() {
    Schedule schedule = new Schedule(1, 0.05, () -> now);
    long spent = 0;
    long trained = 0;
    for (int iteration = 0; iteration < 100_000; iteration++) {
      now += 7;
      trained += 7;
      if (schedule.isDue(iteration) && schedule.isWithinBudget()) {
        long begun = schedule.now();
        now += 100;
        spent += 100;
        schedule.finished(begun);
      }
    }
    assertThat((double) spent / trained).isBetween(0.0495, 0.05);
  }
}
