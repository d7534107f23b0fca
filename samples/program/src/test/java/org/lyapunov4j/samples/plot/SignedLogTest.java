// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class SignedLogTest {
  private final SignedLog axis = new SignedLog(List.of(-4e-6, 0.02, Double.NaN, 0.0));

  @Test
  void bothSidesAreLogarithmic() {
    assertThat(axis.height(-1e-6)).isCloseTo(-1, within(1e-9));
    assertThat(axis.height(1e-2)).isCloseTo(5, within(1e-9));
    assertThat(axis.height(0)).isZero();
    assertThat(axis.height(5e-7)).isCloseTo(0.5, within(1e-9));
    assertThat(axis.height(Double.NaN)).isNaN();
  }

  @Test
  void labelsAreThePowersOfTen() {
    assertThat(axis.label(-1)).isEqualTo("−1e-6");
    assertThat(axis.label(5)).isEqualTo("+1e-2");
    assertThat(axis.label(0)).isEqualTo("0");
    assertThat(axis.label(2.5)).isBlank();
  }

  @Test
  void theEndsHoldAllValues() {
    assertThat(axis.lowest()).isLessThan((int) Math.floor(axis.height(-4e-6)));
    assertThat(axis.highest()).isGreaterThan((int) Math.ceil(axis.height(0.02)));
    assertThat(new SignedLog(List.of()).lowest()).isNegative();
  }
}
