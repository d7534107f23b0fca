// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.whatif;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.Color;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.exponent.ExactExponent;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;

class SignedScaleTest {
  private static final LyapunovExponent TINY = new ExactExponent(-1e-6);
  private static final LyapunovExponent LARGE = new ExactExponent(1);
  private static final LyapunovExponent BOUND =
      new ExponentBound(-1e-3, 0, Sign.NEGATIVE, "for a test");
  private static final LyapunovExponent OPEN =
      new ExponentBound(-1e-3, 1e-2, Sign.UNDECIDED, "for a test");

  private final SignedScale scale = new SignedScale(List.of(TINY, LARGE, BOUND, OPEN));

  @Test
  void theSignOfTheSmallestIsSeen() {
    assertThat(scale.position(TINY)).isCloseTo(-0.2, within(1e-12));
    assertThat(scale.position(LARGE)).isCloseTo(1, within(1e-12));
    assertThat(scale.position(new ExactExponent(1e-3))).isCloseTo(0.6, within(1e-12));
    assertThat(scale.position(new ExactExponent(Double.NEGATIVE_INFINITY))).isEqualTo(-1);
    Color colour = SignedScale.at(scale.position(TINY));
    assertThat(colour.getBlue()).isGreaterThan(colour.getRed() + 30);
  }

  @Test
  void aBoundHasASignAndNoSize() {
    assertThat(scale.position(BOUND)).isEqualTo(-0.2);
    assertThat(scale.position(OPEN)).isZero();
    Color grey = SignedScale.at(0);
    assertThat(grey.getRed()).isEqualTo(grey.getBlue());
    assertThat(MapText.number(BOUND)).isEqualTo(">-1.0e-03");
    assertThat(MapText.number(OPEN)).isEmpty();
    assertThat(MapText.number(TINY)).isEqualTo("-1.0e-06");
  }

  @Test
  void labelsArePowersOfTen() {
    assertThat(scale.ticks()).extracting(SignedScale.Tick::label).contains("+1e0", "−1e0");
    assertThat(new SignedScale(List.of(BOUND)).ticks()).isNotEmpty();
  }
}
