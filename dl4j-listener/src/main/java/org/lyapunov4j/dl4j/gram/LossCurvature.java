// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT;

/**
 * The curvature of Deeplearning4j's losses: for each rule the variable f in which the loss ℓ of one
 * example is convex, and a factor R of its Hessian, ∂²ℓ/∂f² = R Rᵀ, K × K. ℓ is what Deeplearning4j
 * sums over the examples of a mini-batch and divides by their number; w are the loss function's
 * weights, 1 if it has none.
 */
public enum LossCurvature {
  /** {@code LossL2}: ℓ = Σ w_k (f_k − y_k)², f the network's output; R = √2 diag(√w). */
  SQUARED_ERROR(false) {
    @Override
    void factor(double[] f, double[] y, double[] w, double[][] r) {
      for (int k = 0; k < f.length; k++) {
        r[k][k] = Math.sqrt(2 * weight(w, k));
      }
    }

    @Override
    void residual(double[] f, double[] y, double[] w, double[] e, double[] losses) {
      squaredError(f, y, w, 1, e, losses);
    }
  },

  /** {@code LossMSE}: ℓ = (1/K) Σ w_k (f_k − y_k)², f the network's output; R = √(2/K) diag(√w). */
  MEAN_SQUARED_ERROR(false) {
    @Override
    void factor(double[] f, double[] y, double[] w, double[][] r) {
      for (int k = 0; k < f.length; k++) {
        r[k][k] = Math.sqrt(2 * weight(w, k) / f.length);
      }
    }

    @Override
    void residual(double[] f, double[] y, double[] w, double[] e, double[] losses) {
      squaredError(f, y, w, f.length, e, losses);
    }
  },

  /**
   * {@code LossMCXENT}, {@code LossNegativeLogLikelihood} over softmax: ℓ = −Σ w_k y_k log p_k, f
   * the logits; the Hessian is s (diag(p) − p pᵀ), R = √s (diag(√p) − p √pᵀ), with s = Σ w_k y_k,
   * or s = 1 without weights, since Deeplearning4j then takes the labels for probabilities.
   */
  SOFTMAX_CROSS_ENTROPY(true) {
    @Override
    void factor(double[] f, double[] y, double[] w, double[][] r) {
      double total = w == null ? 1 : dot(w, y);
      double[] p = softmax(f);
      for (int k = 0; k < f.length; k++) {
        for (int l = 0; l < f.length; l++) {
          r[k][l] = Math.sqrt(total * p[l]) * ((k == l ? 1 : 0) - p[k]);
        }
      }
    }

    @Override
    void residual(double[] f, double[] y, double[] w, double[] e, double[] losses) {
      double total = w == null ? 1 : dot(w, y);
      double[] p = softmax(f);
      for (int k = 0; k < f.length; k++) {
        double observed = weight(w, k) * y[k];
        double likely = Math.max(p[k], Double.MIN_NORMAL);
        e[k] = total > 0 ? (total * p[k] - observed) / Math.sqrt(total * likely) : 0;
        losses[k] = -observed * Math.log(likely);
      }
    }
  },

  /**
   * {@code LossBinaryXENT} over sigmoid: ℓ = −Σ w_k (y_k log p_k + (1 − y_k) log(1 − p_k)), f the
   * logits; R = diag(√(w p (1 − p))). Deeplearning4j clips p to [1e-5, 1 − 1e-5] in the score; the
   * curvature does not.
   */
  SIGMOID_CROSS_ENTROPY(true) {
    @Override
    void factor(double[] f, double[] y, double[] w, double[][] r) {
      for (int k = 0; k < f.length; k++) {
        double tail = Math.exp(-Math.abs(f[k]));
        r[k][k] = Math.sqrt(weight(w, k) * tail) / (1 + tail);
      }
    }

    @Override
    void residual(double[] f, double[] y, double[] w, double[] e, double[] losses) {
      for (int k = 0; k < f.length; k++) {
        double tail = Math.exp(-Math.abs(f[k]));
        double p = (f[k] >= 0 ? 1 : tail) / (1 + tail);
        double deviation = Math.sqrt(Math.max(tail, Double.MIN_NORMAL)) / (1 + tail);
        e[k] = Math.sqrt(weight(w, k)) * (p - y[k]) / deviation;
        losses[k] = weight(w, k) * (Math.max(f[k], 0) - y[k] * f[k] + Math.log1p(tail));
      }
    }
  };

  private final boolean logits;

  LossCurvature(boolean logits) {
    this.logits = logits;
  }

  /**
   * The rule for a loss function over an activation.
   *
   * @param loss Deeplearning4j's loss function
   * @param activation the activation of the layer that holds it
   * @return the rule
   * @throws IllegalArgumentException if none applies, with the name, the reason and a remedy
   */
  public static LossCurvature of(ILossFunction loss, IActivation activation) {
    Class<?> type = loss.getClass();
    if (type == LossMSE.class) {
      return MEAN_SQUARED_ERROR;
    }
    if (type == LossL2.class) {
      return SQUARED_ERROR;
    }
    if (loss instanceof LossMCXENT && type != LossSparseMCXENT.class) {
      return require(
          activation instanceof ActivationSoftmax,
          SOFTMAX_CROSS_ENTROPY,
          loss,
          activation,
          "SOFTMAX");
    }
    if (type == LossBinaryXENT.class) {
      return require(
          activation instanceof ActivationSigmoid,
          SIGMOID_CROSS_ENTROPY,
          loss,
          activation,
          "SIGMOID");
    }
    throw new IllegalArgumentException(
        "no curvature rule for the loss "
            + type.getSimpleName()
            + "; use MSE, L2, MCXENT or NEGATIVELOGLIKELIHOOD with SOFTMAX, or XENT with SIGMOID");
  }

  private static LossCurvature require(
      boolean fits, LossCurvature rule, ILossFunction loss, IActivation activation, String remedy) {
    if (!fits) {
      throw new IllegalArgumentException(
          String.format(
              "the loss %s has a curvature rule over %s only, got the activation %s; use Activation.%s",
              loss.getClass().getSimpleName(),
              remedy,
              activation.getClass().getSimpleName(),
              remedy));
    }
    return rule;
  }

  /**
   * Whether f is the pre-activation of the output layer; otherwise it is the layer's output.
   *
   * @return true for the cross-entropies
   */
  public boolean overLogits() {
    return logits;
  }

  /** Whether the Hessian is not diagonal. */
  boolean couplesOutputs() {
    return this == SOFTMAX_CROSS_ENTROPY;
  }

  /**
   * A factor of the Hessian for one example.
   *
   * @param f the K outputs
   * @param y the K labels
   * @param w the K weights, or null if the loss has none
   * @param r receives R; zero on entry
   */
  abstract void factor(double[] f, double[] y, double[] w, double[][] r);

  /**
   * The loss of one example and its derivative in the coordinates of R.
   *
   * @param f the K outputs
   * @param y the K labels; for cross-entropy over softmax they must add up to 1
   * @param w the K weights, or null if the loss has none
   * @param e receives e with R e = ∂ℓ/∂f
   * @param losses receives the K terms of ℓ
   */
  abstract void residual(double[] f, double[] y, double[] w, double[] e, double[] losses);

  /** The loss function's weights, or null if it has none. */
  static double[] weights(ILossFunction loss) {
    INDArray weights = null;
    if (loss instanceof LossL2 l2) {
      weights = l2.getWeights();
    } else if (loss instanceof LossMCXENT mcxent) {
      weights = mcxent.getWeights();
    } else if (loss instanceof LossBinaryXENT xent) {
      weights = xent.getWeights();
    }
    return weights == null
        ? null
        : weights.castTo(DataType.DOUBLE).reshape(weights.length()).toDoubleVector();
  }

  /** ℓ = Σ w_k (f_k − y_k)²/d. */
  private static void squaredError(
      double[] f, double[] y, double[] w, double d, double[] e, double[] losses) {
    for (int k = 0; k < f.length; k++) {
      e[k] = Math.sqrt(2 * weight(w, k) / d) * (f[k] - y[k]);
      losses[k] = e[k] * e[k] / 2;
    }
  }

  private static double[] softmax(double[] f) {
    double largest = Arrays.stream(f).max().orElseThrow();
    double sum = 0;
    double[] p = new double[f.length];
    for (int k = 0; k < f.length; k++) {
      p[k] = Math.exp(f[k] - largest);
      sum += p[k];
    }
    for (int k = 0; k < f.length; k++) {
      p[k] /= sum;
    }
    return p;
  }

  private static double weight(double[] w, int k) {
    return w == null ? 1 : w[k];
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int k = 0; k < x.length; k++) {
      sum += x[k] * y[k];
    }
    return sum;
  }
}
