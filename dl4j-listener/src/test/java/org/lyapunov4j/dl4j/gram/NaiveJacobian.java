// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossL2;

/**
 * The slow truth: the Jacobian from Deeplearning4j's own gradients, one example and one output at a
 * time. The loss is replaced by one that takes its labels for the derivative with respect to the
 * output.
 */
final class NaiveJacobian {
  private NaiveJacobian() {}

  /** The m × P Jacobian of the outputs, or of the logits, in example-major order. */
  static double[][] of(MultiLayerNetwork model, INDArray features, int outputs, boolean logits) {
    MultiLayerConfiguration conf = model.getLayerWiseConfigurations().clone();
    conf.setTrainingWorkspaceMode(WorkspaceMode.NONE);
    conf.setInferenceWorkspaceMode(WorkspaceMode.NONE);
    MultiLayerNetwork copy = new MultiLayerNetwork(conf);
    copy.init(model.params().dup(), false);
    for (int l = 0; l < copy.getnLayers(); l++) {
      prepare(copy.getLayer(l).conf().getLayer(), logits);
    }
    int examples = (int) features.size(0);
    double[][] rows = new double[examples * outputs][];
    for (int i = 0; i < examples; i++) {
      INDArray example = features.get(NDArrayIndex.interval(i, i + 1)).dup('c');
      for (int k = 0; k < outputs; k++) {
        INDArray unit = Nd4j.zeros(features.dataType(), 1, outputs);
        unit.putScalar(0, k, 1);
        INDArray gradient =
            copy.calculateGradients(example, unit, null, null).getFirst().gradient();
        rows[i * outputs + k] =
            gradient.castTo(DataType.DOUBLE).reshape(gradient.length()).toDoubleVector();
      }
    }
    return rows;
  }

  private static void prepare(Layer conf, boolean logits) {
    conf.setIDropout(null);
    if (conf instanceof BaseLayer base) {
      base.setWeightNoise(null);
    }
    if (conf instanceof BaseOutputLayer output) {
      output.setLossFn(new LabelsAreDerivatives(logits));
    } else if (conf instanceof LossLayer loss) {
      loss.setLossFn(new LabelsAreDerivatives(logits));
    }
  }

  /** J Jᵀ. */
  static double[][] gram(double[][] jacobian) {
    int m = jacobian.length;
    double[][] gram = new double[m][m];
    for (int r = 0; r < m; r++) {
      for (int c = 0; c < m; c++) {
        for (int p = 0; p < jacobian[r].length; p++) {
          gram[r][c] += jacobian[r][p] * jacobian[c][p];
        }
      }
    }
    return gram;
  }

  /** blockdiag(R)ᵀ J. */
  static double[][] weighted(double[][] jacobian, double[][][] r) {
    int outputs = r[0].length;
    double[][] rows = new double[jacobian.length][jacobian[0].length];
    for (int row = 0; row < rows.length; row++) {
      int example = row / outputs;
      for (int l = 0; l < outputs; l++) {
        for (int p = 0; p < rows[row].length; p++) {
          rows[row][p] += r[example][l][row % outputs] * jacobian[example * outputs + l][p];
        }
      }
    }
    return rows;
  }

  private static final class LabelsAreDerivatives implements ILossFunction {
    private static final long serialVersionUID = 1L;
    private final boolean logits;

    LabelsAreDerivatives(boolean logits) {
      this.logits = logits;
    }

    @Override
    public double computeScore(
        INDArray labels, INDArray z, IActivation activation, INDArray mask, boolean average) {
      return 0;
    }

    @Override
    public INDArray computeScoreArray(
        INDArray labels, INDArray z, IActivation activation, INDArray mask) {
      return new LossL2().computeScoreArray(labels, z, activation, mask);
    }

    @Override
    public INDArray computeGradient(
        INDArray labels, INDArray z, IActivation activation, INDArray mask) {
      return logits ? labels.dup() : activation.backprop(z.dup(), labels.dup()).getFirst();
    }

    @Override
    public Pair<Double, INDArray> computeGradientAndScore(
        INDArray labels, INDArray z, IActivation activation, INDArray mask, boolean average) {
      return new Pair<>(0.0, computeGradient(labels, z, activation, mask));
    }

    @Override
    public String name() {
      return "labelsAreDerivatives";
    }
  }
}
