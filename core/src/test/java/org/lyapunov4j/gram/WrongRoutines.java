// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.ArrayList;
import java.util.List;

/** Decompositions by routines that are wrong in a known way. */
public enum WrongRoutines {
  ONE_ENTRY_OF_ONE_VECTOR {
    @Override
    void spoil(double[] values, double[] a, int m) {
      a[(m - 1) * m] += 1e-8;
    }
  },
  TWO_VECTORS_EXCHANGED {
    @Override
    void spoil(double[] values, double[] a, int m) {
      for (int i = 0; i < m; i++) {
        double kept = a[(m - 1) * m + i];
        a[(m - 1) * m + i] = a[(m - 2) * m + i];
        a[(m - 2) * m + i] = kept;
      }
    }
  },
  ONE_VECTOR_TWICE {
    @Override
    void spoil(double[] values, double[] a, int m) {
      System.arraycopy(a, (m - 1) * m, a, 0, m);
    }
  },
  A_VECTOR_TOO_LONG {
    @Override
    void spoil(double[] values, double[] a, int m) {
      for (int i = 0; i < m; i++) {
        a[i] *= 1 + 1e-9;
      }
    }
  },
  HALF_OF_THE_ROWS_ZERO {
    @Override
    void spoil(double[] values, double[] a, int m) {
      for (int k = 0; k < m; k++) {
        java.util.Arrays.fill(a, k * m + m / 2, (k + 1) * m, 0);
      }
    }
  },
  VECTORS_NOT_FINITE {
    @Override
    void spoil(double[] values, double[] a, int m) {
      a[m / 2] = Double.NaN;
    }
  },
  THE_LARGEST_VALUE_OFF {
    @Override
    void spoil(double[] values, double[] a, int m) {
      values[m - 1] *= 1 + 1e-9;
    }
  },
  VALUES_OFF_BUT_THEIR_SUM {
    @Override
    void spoil(double[] values, double[] a, int m) {
      values[m - 1] += 1e-6 * values[m - 1];
      values[0] -= 1e-6 * values[m - 1];
    }
  },
  /** Σκ and Σκ² are right: κ → κ + t·u with Σu = 0 and Σκu = 0, to first order in a tiny t. */
  VALUES_OFF_BUT_SUM_AND_SQUARES {
    @Override
    void spoil(double[] values, double[] a, int m) {
      int i = m - 1;
      int j = m - 2;
      int k = m - 3;
      double sum = values[i] + values[j] + values[k];
      double squares = values[i] * values[i] + values[j] * values[j] + values[k] * values[k];
      values[i] *= 1.01;
      double rest = sum - values[i];
      double restSquares = squares - values[i] * values[i];
      double root = Math.sqrt(2 * restSquares - rest * rest);
      values[j] = (rest + root) / 2;
      values[k] = (rest - root) / 2;
    }
  },
  VALUES_NOT_FINITE {
    @Override
    void spoil(double[] values, double[] a, int m) {
      values[0] = Double.NaN;
    }
  },
  DESCENDING {
    @Override
    void spoil(double[] values, double[] a, int m) {
      for (int k = 0; k < m / 2; k++) {
        double kept = values[k];
        values[k] = values[m - 1 - k];
        values[m - 1 - k] = kept;
      }
    }
  },
  GIVES_UP {
    @Override
    void spoil(double[] values, double[] a, int m) {
      throw new IllegalStateException("did not converge (info 7)");
    }
  };

  abstract void spoil(double[] values, double[] a, int m);

  /** Whether the eigenvalues are right. */
  public boolean hasRightValues() {
    return !List.of(
            THE_LARGEST_VALUE_OFF,
            VALUES_OFF_BUT_THEIR_SUM,
            VALUES_OFF_BUT_SUM_AND_SQUARES,
            VALUES_NOT_FINITE,
            DESCENDING,
            GIVES_UP)
        .contains(this);
  }

  /** A right result of Hipparchus', spoiled. */
  EigenRoutine routine() {
    return new EigenRoutine(
        name(),
        (a, m, vectors) -> {
          double[] values = EigenRoutines.hipparchus(a, m, vectors);
          if (vectors || !hasRightValues()) {
            spoil(values, a, m);
          }
          return values;
        });
  }

  /** Decomposes with a wrong routine first and a right one after it. */
  static SymmetricEigen rescued(WrongRoutines wrong, List<String> warnings) {
    return new SymmetricEigen(
        List.of(wrong.routine(), new EigenRoutine("Hipparchus", EigenRoutines::hipparchus)),
        warnings::add);
  }

  /** What {@link GramSpectrum} gives if all routines are wrong in the same way. */
  public GramSpectrum withoutRescue(GramMatrix gram, boolean vectors) {
    return GramSpectrum.of(
        gram, vectors, new SymmetricEigen(List.of(routine(), routine()), new ArrayList<>()::add));
  }
}
