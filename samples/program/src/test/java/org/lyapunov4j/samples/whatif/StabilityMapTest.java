// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.whatif;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

class StabilityMapTest {
  private static final List<Momentum> MOMENTA = List.of(Momentum.NONE, new Momentum.HeavyBall(0.5));
  private static final List<Double> RATES = List.of(0.1, 0.2, 0.5);

  /** Two batch sizes, three rates, two momenta: 12 reports; 8 more if the rates are to be found. */
  private static StabilityMap map(int reports, List<Double> rates) {
    Function<SgdStep, StabilityReport> analysis =
        StabilityAnalyzer.builder()
            .maxEpochs(16)
            .build()
            .on(GramMatrix.of(new double[][] {{1, 0.2}, {0.2, 3}}, 2, 1));
    AtomicInteger left = new AtomicInteger(reports);
    return StabilityMap.of(
        step -> {
          if (left.decrementAndGet() < 0) {
            throw new CancellationException();
          }
          return analysis.apply(step);
        },
        SgdStep.of(1, 1),
        MOMENTA,
        List.of(1, 2),
        rates,
        1.3);
  }

  @ParameterizedTest
  @CsvSource({"0,0,1", "1,0,1", "2,1,1", "5,2,1", "6,3,1", "11,3,1", "12,3,2"})
  void whatIsCompleteIsKept(int reports, int rows, int sheets) {
    StabilityMap map = map(reports, RATES);
    assertThat(map.isEmpty()).isEqualTo(rows == 0);
    assertThat(map.rates()).isEqualTo(RATES.subList(0, rows));
    assertThat(map.sheets()).hasSize(sheets);
    for (StabilityMap.Sheet sheet : map.sheets()) {
      assertThat(sheet.reports()).hasSize(rows);
    }
    if (rows > 0) {
      assertThat(map.sheets().get(0).at(rows - 1, 1).step().batchSize()).isEqualTo(2);
      assertThat(map.sheets().get(0).edges()).isEqualTo(map(12, RATES).sheets().get(0).edges());
    }
  }

  @Test
  void beforeTheRatesAreKnownThereIsNothingToKeep() {
    assertThat(map(3, List.of()).isEmpty()).isTrue();
    assertThat(map(6, List.of()).rates()).hasSize(1);
  }
}
