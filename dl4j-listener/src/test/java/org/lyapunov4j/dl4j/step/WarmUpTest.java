// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;

class WarmUpTest {
  @Test
  void plainUpdatersNeedNone() {
    assertThat(WarmUp.gradients(new Sgd(0.1))).isEqualTo(1);
    assertThat(WarmUp.gradients(new Nesterovs(0.1, 0.9))).isEqualTo(1);
  }

  @Test
  void adaptiveUpdatersNeedTheirMemories() {
    // 0.9^21 = 0.109, 0.9^22 = 0.098; (1 − 0.999)/(1 − 0.999^21) = 0.048
    assertThat(WarmUp.gradients(new Adam(0.01))).isEqualTo(22);
    assertThat(WarmUp.gradients(new Nadam(0.01))).isEqualTo(22);
    assertThat(WarmUp.gradients(new Adam(0.01, 0, 0.999, 1e-8))).isEqualTo(21);
    // 1 − 0.95^t ≥ 0.8
    assertThat(WarmUp.gradients(new RmsProp(0.01, 0.95, 1e-8))).isEqualTo(32);
    assertThat(WarmUp.gradients(new AdaDelta(0.95, 1e-6))).isEqualTo(32);
    assertThat(WarmUp.gradients(new AdaGrad(0.01))).isEqualTo(20);
  }
}
