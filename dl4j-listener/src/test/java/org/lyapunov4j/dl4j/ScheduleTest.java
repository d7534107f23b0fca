// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScheduleTest {
  @Test
  void everySoManiethIterationIsDue() {
    assertThat(due(Schedule.everyIterations(3), 10)).containsExactly(0, 3, 6, 9);
  }

  @Test
  void everySoManiethEpochIsDueAtItsEnd() {
    Schedule schedule = Schedule.everyEpochs(2);
    assertThat(IntStream.range(0, 6).filter(schedule::isDueAfterEpoch)).containsExactly(1, 3, 5);
    assertThat(due(schedule, 100)).isEmpty();
  }

  @Test
  void logarithmicIsDenseEarlyAndSparseLate() {
    assertThat(due(Schedule.logarithmic(1), 100_001))
        .containsExactly(0, 1, 10, 100, 1000, 10_000, 100_000);
    assertThat(due(Schedule.logarithmic(4), 200))
        .containsExactly(0, 1, 2, 4, 6, 10, 18, 32, 57, 100, 178);
  }

  /** The truth is the definition: the first whole numbers from 10^(j/k) on. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 10, 50})
  void logarithmicIsItsDefinition(int perDecade) {
    int[] expected =
        IntStream.concat(
                IntStream.of(0),
                IntStream.rangeClosed(0, 5 * perDecade).map(j -> firstFrom(j, perDecade)))
            .distinct()
            .toArray();
    assertThat(due(Schedule.logarithmic(perDecade), 100_001)).containsExactly(expected);
  }

  @Test
  void schedulesAreJoined() {
    Schedule schedule =
        Schedule.everyIterations(4).or(Schedule.everyIterations(6)).or(Schedule.onLossSpike());
    assertThat(due(schedule, 13)).containsExactly(0, 4, 6, 8, 12);
    assertThat(schedule.watchesLoss()).isTrue();
    assertThat(schedule).hasToString("every 4 iterations or every 6 iterations or on a loss spike");
    assertThat(due(Schedule.onRequest(), 100)).isEmpty();
    assertThat(Schedule.onRequest()).hasToString("on request");
  }

  @Test
  void refusesNonsense() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Schedule.everyIterations(0))
        .withMessage("iterations must be at least 1, got 0");
    assertThatIllegalArgumentException().isThrownBy(() -> Schedule.everyEpochs(-1));
    assertThatIllegalArgumentException().isThrownBy(() -> Schedule.logarithmic(0));
  }

  private static int firstFrom(int j, int perDecade) {
    int decade = j / perDecade;
    return j % perDecade == 0
        ? (int) Math.round(Math.pow(10, decade))
        : (int) Math.ceil(Math.pow(10, (double) j / perDecade));
  }

  private static int[] due(Schedule schedule, int iterations) {
    return IntStream.range(0, iterations).filter(schedule::isDueAt).toArray();
  }
}
