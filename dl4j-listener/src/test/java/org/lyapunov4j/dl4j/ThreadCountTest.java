// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.stability.StabilityAnalyzer;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.nativeblas.NativeOpsHolder;

/** What docs/guide.md says of bits: equal for one number of native threads, near for another. */
class ThreadCountTest {
  private final DataSet data = Networks.data(5, 100, 30, 2, DataType.DOUBLE);
  private final MultiLayerNetwork network =
      Networks.regression(Networks.configuration(new Sgd(0.01), DataType.DOUBLE), 30, 64, 2);
  private final int threadsBefore =
      NativeOpsHolder.getInstance().getDeviceNativeOps().ompGetMaxThreads();

  @AfterEach
  void asBefore() {
    limit(threadsBefore);
  }

  @Test
  void oneNumberOfThreadsGivesTheSameBitsAndAnotherNearOnes() {
    limit(1);
    GramMatrix gram = gram();
    StabilityReport report = analyze(gram);
    for (int threads : new int[] {1, 2, 4}) {
      limit(threads);
      GramMatrix other = gram();
      StabilityReport found = analyze(other);
      assertThat(gram().toArray()).isDeepEqualTo(other.toArray());
      assertThat(analyze(other).toString()).isEqualTo(found.toString());
      assertThat(analyze(other).sharpness()).isEqualTo(found.sharpness());
      assertThat(found.sharpness())
          .isCloseTo(report.sharpness(), within(1e-13 * report.sharpness()));
      double error = found.exponent().error().orElseThrow();
      assertThat(found.exponent().point().orElseThrow())
          .isCloseTo(report.exponent().point().orElseThrow(), within(1e-6 * error));
      if (threads == 1) {
        assertThat(other.toArray()).isDeepEqualTo(gram.toArray());
        assertThat(found.exponent()).isEqualTo(report.exponent());
      }
    }
  }

  private GramMatrix gram() {
    try (NtkGram engine = NtkGram.builder(network).probe(data).build()) {
      return engine.compute(network.params()).gram();
    }
  }

  private static StabilityReport analyze(GramMatrix gram) {
    return StabilityAnalyzer.builder().maxEpochs(4).build().analyze(gram, SgdStep.of(0.01, 10));
  }

  private static void limit(int threads) {
    Nd4j.factory().blas().setMaxThreads(threads);
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(threads);
  }
}
