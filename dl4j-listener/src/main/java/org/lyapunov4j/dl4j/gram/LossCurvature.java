// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import java.util.Locale;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/**
 * The curvature of Deeplearning4j's losses: for each rule the variable f in which the loss ℓ of one
 * example is convex, and a factor R of its Hessian, ∂²ℓ/∂f² = R Rᵀ, K × K. ℓ is what Deeplearning4j
 * sums over the examples of a mini-batch and divides by their number; w are the loss function's
 * weights, 1 if it has none.
 */
public enum LossCurvature implements Curvature {
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
   * {@code LossMCXENT}, {@code LossNegativeLogLikelihood}, {@code LossSparseMCXENT} over softmax: ℓ
   * = −Σ w_k y_k log p_k, f the logits; the Hessian is s (diag(p) − p pᵀ), R = √s (diag(√p) − p
   * √pᵀ), with s = Σ w_k y_k, or s = 1 without weights, since Deeplearning4j then takes the labels
   * for probabilities.
   */
  SOFTMAX_CROSS_ENTROPY(true) {
    @Override
    void factor(double[] f, double[] y, double[] w, double[][] r) {
      softmaxFactor(f, w == null ? 1 : dot(w, y), r);
    }

    @Override
    void residual(double[] f, double[] y, double[] w, double[] e, double[] losses) {
      softmaxResidual(f, y, w, w == null ? 1 : dot(w, y), e, losses);
    }
  },

  /**
   * {@code LossKLD} over softmax: ℓ = Σ y_k log(y_k/p_k), f the logits; the Hessian is that of the
   * softmax cross-entropy with s = Σ y_k. Deeplearning4j clips p and y in the score only.
   */
  SOFTMAX_DIVERGENCE(true) {
    @Override
    void factor(double[] f, double[] y, double[] w, double[][] r) {
      softmaxFactor(f, Arrays.stream(y).sum(), r);
    }

    @Override
    void residual(double[] f, double[] y, double[] w, double[] e, double[] losses) {
      softmaxResidual(f, y, null, Arrays.stream(y).sum(), e, losses);
      for (int k = 0; k < f.length; k++) {
        losses[k] += y[k] > 0 ? y[k] * Math.log(y[k]) : 0;
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
  },

  /**
   * {@code LossPoisson}: ℓ = Σ (f_k − y_k log f_k), f the network's output, which must be positive;
   * R = diag(√y / f). Labels must not be negative.
   */
  POISSON(false) {
    @Override
    void factor(double[] f, double[] y, double[] w, double[][] r) {
      for (int k = 0; k < f.length; k++) {
        if (!(f[k] > 0)) {
          throw new IllegalArgumentException(
              String.format(
                  Locale.ROOT,
                  "the loss LossPoisson is defined for positive outputs only, got %s; use an"
                      + " activation with positive values such as SOFTPLUS",
                  f[k]));
        }
        r[k][k] = Math.sqrt(notNegative(y[k])) / f[k];
      }
    }

    @Override
    void residual(double[] f, double[] y, double[] w, double[] e, double[] losses) {
      for (int k = 0; k < f.length; k++) {
        e[k] = y[k] > 0 ? (f[k] - y[k]) / Math.sqrt(y[k]) : 0;
        losses[k] = f[k] - y[k] * Math.log(f[k]);
      }
    }
  },

  /**
   * {@code LossSquaredHinge}: ℓ = Σ max(0, 1 − y_k f_k)², f the network's output; R = diag(√2 |y|)
   * where y_k f_k &lt; 1, and 0 where the margin is kept. The Hessian jumps where y_k f_k = 1.
   */
  SQUARED_HINGE(false) {
    @Override
    void factor(double[] f, double[] y, double[] w, double[][] r) {
      for (int k = 0; k < f.length; k++) {
        r[k][k] = y[k] * f[k] < 1 ? Math.sqrt(2) * Math.abs(y[k]) : 0;
      }
    }

    @Override
    void residual(double[] f, double[] y, double[] w, double[] e, double[] losses) {
      for (int k = 0; k < f.length; k++) {
        double margin = Math.max(0, 1 - y[k] * f[k]);
        e[k] = -Math.sqrt(2) * Math.signum(y[k]) * margin;
        losses[k] = margin * margin;
      }
    }
  };

  private static final String LOSSES = "org.nd4j.linalg.lossfunctions.impl.";

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
    return switch (loss.getClass().getName().replace(LOSSES, "")) {
      case "LossMSE" -> MEAN_SQUARED_ERROR;
      case "LossL2" -> SQUARED_ERROR;
      case "LossMCXENT", "LossNegativeLogLikelihood", "LossSparseMCXENT" ->
          over(SOFTMAX_CROSS_ENTROPY, ActivationSoftmax.class, loss, activation);
      case "LossKLD" -> over(SOFTMAX_DIVERGENCE, ActivationSoftmax.class, loss, activation);
      case "LossBinaryXENT" ->
          over(SIGMOID_CROSS_ENTROPY, ActivationSigmoid.class, loss, activation);
      case "LossPoisson" -> POISSON;
      case "LossSquaredHinge" -> SQUARED_HINGE;
      case "LossL1", "LossMAE", "LossMAPE", "LossHinge" ->
          throw refusal(
              loss,
              "it is piecewise linear: its second derivative is 0 wherever it exists, and steps do"
                  + " not shrink near a minimum",
              "use MSE or L2, for margins SQUARED_HINGE");
      case "LossWasserstein" ->
          throw refusal(
              loss, "it is linear in the output and has no minimum", "use MSE, L2 or XENT");
      case "LossMSLE" ->
          throw refusal(
              loss,
              "it is not convex in the output",
              "train on log(1 + label) with MSE, of which it is the same up to the variable");
      case "LossCosineProximity" ->
          throw refusal(
              loss,
              "it is not convex in the output",
              "end a graph in L2NormalizeVertex and a LossLayer with L2, which is twice this loss"
                  + " for labels of length 1 up to a constant");
      case "LossFMeasure" ->
          throw refusal(
              loss,
              "it is not a sum over examples",
              "use XENT with SIGMOID or MCXENT with SOFTMAX");
      case "LossMixtureDensity" ->
          throw refusal(loss, "it is not convex in the output", "use MSE on the conditional mean");
      case "LossMultiLabel" ->
          throw refusal(
              loss, "it compares labels with each other in pairs", "use XENT with SIGMOID");
      default ->
          throw refusal(
              loss,
              "it is not one of Deeplearning4j's",
              "use MSE, L2, POISSON or SQUARED_HINGE, MCXENT, NEGATIVELOGLIKELIHOOD or KL_DIVERGENCE"
                  + " with SOFTMAX, or XENT with SIGMOID");
    };
  }

  private static LossCurvature over(
      LossCurvature rule,
      Class<? extends IActivation> required,
      ILossFunction loss,
      IActivation activation) {
    if (activation.getClass() == required) {
      return rule;
    }
    String name = required.getSimpleName().replace("Activation", "").toUpperCase(Locale.ROOT);
    throw UnsupportedModelException.of(
        String.format(
            "the loss %s has a curvature rule over %s only, got the activation %s",
            loss.getClass().getSimpleName(), name, activation.getClass().getSimpleName()),
        "use Activation." + name);
  }

  private static UnsupportedModelException refusal(
      ILossFunction loss, String reason, String remedy) {
    return UnsupportedModelException.of(
        String.format(
            "no curvature rule for the loss %s: %s", loss.getClass().getSimpleName(), reason),
        remedy);
  }

  /**
   * Whether f is the pre-activation of the output layer; otherwise it is the layer's output.
   *
   * @return true for the cross-entropies
   */
  @Override
  public boolean overLogits() {
    return logits;
  }

  @Override
  public boolean couplesOutputs() {
    return this == SOFTMAX_CROSS_ENTROPY || this == SOFTMAX_DIVERGENCE;
  }

  @Override
  public boolean isSquaredError() {
    return this == SQUARED_ERROR || this == MEAN_SQUARED_ERROR;
  }

  @Override
  public Rows at(double[][] f, double[][] y, double[] w) {
    return new Rows() {
      @Override
      public void factor(int row, double[][] r) {
        LossCurvature.this.factor(f[row], y[row], w, r);
      }

      @Override
      public void residual(int row, double[] e, double[] losses) {
        LossCurvature.this.residual(f[row], y[row], w, e, losses);
      }
    };
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

  /** √s (diag(√p) − p √pᵀ) with p = softmax(f). */
  private static void softmaxFactor(double[] f, double s, double[][] r) {
    double root = Math.sqrt(notNegative(s));
    double[] p = softmax(f);
    for (int k = 0; k < f.length; k++) {
      for (int l = 0; l < f.length; l++) {
        r[k][l] = root * Math.sqrt(p[l]) * ((k == l ? 1 : 0) - p[k]);
      }
    }
  }

  private static void softmaxResidual(
      double[] f, double[] y, double[] w, double s, double[] e, double[] losses) {
    double[] p = softmax(f);
    for (int k = 0; k < f.length; k++) {
      double observed = weight(w, k) * y[k];
      double likely = Math.max(p[k], Double.MIN_NORMAL);
      e[k] = s > 0 ? (s * p[k] - observed) / Math.sqrt(s * likely) : 0;
      losses[k] = -observed * Math.log(likely);
    }
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

  private static double notNegative(double factor) {
    if (factor < 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the loss must be convex, so neither its weights nor labels it is proportional to may"
                  + " be negative, got %s; check weights and labels",
              factor));
    }
    return factor;
  }

  private static double weight(double[] w, int k) {
    return w == null ? 1 : notNegative(w[k]);
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int k = 0; k < x.length; k++) {
      sum += x[k] * y[k];
    }
    return sum;
  }
}
