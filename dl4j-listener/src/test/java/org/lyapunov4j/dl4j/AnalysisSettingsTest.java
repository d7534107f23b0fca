// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

class AnalysisSettingsTest {
  @Test
  void eachSettingChangesItselfAlone() {
    AnalysisSettings settings = AnalysisSettings.standard();
    assertThat(settings.tier()).isEqualTo(Tier.STANDARD);
    assertThat(settings.seed()).isEqualTo(1);
    assertThat(settings.batchSize()).isEmpty();
    assertThat(settings.sampling()).isEmpty();
    assertThat(settings.horizon()).isEmpty();
    AnalysisSettings changed =
        settings
            .withTier(Tier.FULL)
            .withSeed(7)
            .withBatchSize(32)
            .withSampling(MiniBatchSampling.SHUFFLED_EPOCHS)
            .withComparison(SizeComparison.NONE)
            .withHorizon(0);
    assertThat(changed.tier()).isEqualTo(Tier.FULL);
    assertThat(changed.seed()).isEqualTo(7);
    assertThat(changed.batchSize()).hasValue(32);
    assertThat(changed.sampling()).hasValue(MiniBatchSampling.SHUFFLED_EPOCHS);
    assertThat(changed.comparison()).isEqualTo(SizeComparison.NONE);
    assertThat(changed.horizon()).hasValue(0);
    assertThat(changed.analyzer()).isSameAs(settings.analyzer());
    assertThat(settings.batchSize()).isEmpty();
  }

  @Test
  void refusesNonsenseAtOnce() {
    AnalysisSettings settings = AnalysisSettings.standard();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings.withBatchSize(0))
        .withMessageContaining("at least 1, got 0; leave it out");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings.withHorizon(-1))
        .withMessageContaining("at least 1 step, or 0 for none, got -1; leave it out");
    assertThatNullPointerException().isThrownBy(() -> settings.withTier(null)).withMessage("tier");
    assertThatNullPointerException()
        .isThrownBy(() -> settings.withAnalyzer(null))
        .withMessage("analyzer");
  }

  @Test
  void bothDoorsRefuseToCompareTooFewExamples() {
    DataSet seven = Networks.data(5, 7, 3, 2, DataType.DOUBLE);
    MultiLayerNetwork network =
        Networks.regression(Networks.configuration(new Sgd(0.1), DataType.DOUBLE), 3, 4, 2);
    AnalysisSettings compared =
        AnalysisSettings.standard().withBatchSize(2).withComparison(SizeComparison.SAME_TIER);
    String message = "at least 8 examples, got 7; give more";
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LyapunovListener.builder(seven).settings(compared))
        .withMessageContaining(message);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> StabilityAnalysis.of(network, seven, compared))
        .withMessageContaining(message);
  }
}
