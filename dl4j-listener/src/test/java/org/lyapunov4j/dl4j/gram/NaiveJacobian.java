// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossL2;

/**
 * The slow truth: the Jacobian from Deeplearning4j's own gradients, one example and one output at a
 * time, or from finite differences of Deeplearning4j's own output. Takes the model over: its losses
 * are replaced by one that takes its labels for the derivative with respect to the output.
 * StackedColumns are in the engine's order: for each output, position by position.
 */
final class NaiveJacobian {
  private NaiveJacobian() {}

  /** The m × P Jacobian of the outputs, or of the logits, in example-major order. */
  static double[][] of(Model model, MultiDataSet data, boolean logits) {
    for (Layer layer : layers(model)) {
      prepare(layer.conf().getLayer(), logits);
    }
    int examples = (int) data.getFeatures(0).size(0);
    int columns = 0;
    for (INDArray labels : data.getLabels()) {
      columns += (int) (labels.length() / examples);
    }
    double[][] rows = new double[examples * columns][];
    for (int i = 0; i < examples; i++) {
      int column = 0;
      for (int o = 0; o < data.numLabelsArrays(); o++) {
        long values = data.getLabels(o).length() / examples;
        for (int v = 0; v < values; v++) {
          INDArray[] unit = new INDArray[data.numLabelsArrays()];
          for (int other = 0; other < unit.length; other++) {
            long[] shape = data.getLabels(other).shape().clone();
            shape[0] = 1;
            unit[other] = Nd4j.zeros(model.params().dataType(), shape);
          }
          unit[o].putScalar(transposed(v, unit[o]), 1);
          rows[i * columns + column++] = gradient(model, example(data, i), unit);
        }
      }
    }
    return rows;
  }

  /**
   * The place of value v, counted position by position, in an array of one example with channels
   * first.
   */
  private static long transposed(int v, INDArray labels) {
    long width = labels.size(1);
    long positions = labels.length() / width;
    return v % width * positions + v / width;
  }

  /** 4th-order central differences of the output in inference mode. */
  static double[][] byFiniteDifferences(Model model, MultiDataSet data, double step) {
    INDArray parameters = model.params().dup();
    double[][] jacobian = new double[outputs(model, data).length][(int) parameters.length()];
    for (int p : trained(model)) {
      for (int s : new int[] {-2, -1, 1, 2}) {
        INDArray moved = parameters.dup();
        moved.putScalar(p, parameters.getDouble(p) + s * step);
        model.setParams(moved);
        double[] f = outputs(model, data);
        double weight = (Math.abs(s) == 1 ? 8.0 : -1.0) * Integer.signum(s) / (12 * step);
        for (int r = 0; r < jacobian.length; r++) {
          jacobian[r][p] += weight * f[r];
        }
      }
    }
    model.setParams(parameters);
    return jacobian;
  }

  /** All parameters but the running statistics of batch normalisation. */
  private static int[] trained(Model model) {
    IntStream indices = IntStream.empty();
    int at = 0;
    for (Trainable part : parts(model)) {
      int count = (int) part.numParams();
      boolean half = part.getConfig() instanceof BatchNormalization;
      indices = IntStream.concat(indices, IntStream.range(at, at + (half ? count / 2 : count)));
      at += count;
    }
    return indices.toArray();
  }

  /** Layers and vertices in the order of their parameters. */
  private static List<Trainable> parts(Model model) {
    if (!(model instanceof ComputationGraph graph)) {
      return List.of(layers(model));
    }
    List<Trainable> parts = new ArrayList<>();
    for (int index : graph.topologicalSortOrder()) {
      parts.add(graph.getVertices()[index]);
    }
    return parts;
  }

  /** All outputs, example-major, position by position. */
  private static double[] outputs(Model model, MultiDataSet data) {
    INDArray[] outputs;
    if (model instanceof ComputationGraph graph) {
      outputs =
          graph.output(false, duplicates(data.getFeatures()), data.getFeaturesMaskArrays(), null);
    } else {
      INDArray mask = data.hasMaskArrays() ? data.getFeaturesMaskArray(0) : null;
      outputs =
          new INDArray[] {
            ((MultiLayerNetwork) model).output(data.getFeatures(0).dup(), false, mask, null)
          };
    }
    int examples = (int) outputs[0].size(0);
    INDArray[] flat = new INDArray[outputs.length];
    for (int o = 0; o < flat.length; o++) {
      INDArray f = outputs[o].dup('c');
      flat[o] =
          f.reshape('c', examples, f.size(1), f.length() / examples / f.size(1))
              .permute(0, 2, 1)
              .dup('c')
              .reshape('c', examples, f.length() / examples);
    }
    return Nd4j.concat(1, flat).dup('c').castTo(DataType.DOUBLE).data().asDouble();
  }

  private static INDArray[] duplicates(INDArray[] arrays) {
    INDArray[] copies = new INDArray[arrays.length];
    for (int i = 0; i < copies.length; i++) {
      copies[i] = arrays[i].dup();
    }
    return copies;
  }

  private static Layer[] layers(Model model) {
    return model instanceof ComputationGraph graph
        ? graph.getLayers()
        : ((MultiLayerNetwork) model).getLayers();
  }

  private static MultiDataSet example(MultiDataSet data, int i) {
    return new org.nd4j.linalg.dataset.MultiDataSet(
        slice(data.getFeatures(), i),
        slice(data.getLabels(), i),
        slice(data.getFeaturesMaskArrays(), i),
        slice(data.getLabelsMaskArrays(), i));
  }

  private static INDArray[] slice(INDArray[] arrays, int i) {
    if (arrays == null) {
      return null;
    }
    INDArray[] slices = new INDArray[arrays.length];
    for (int a = 0; a < slices.length; a++) {
      slices[a] =
          arrays[a] == null ? null : arrays[a].get(NDArrayIndex.interval(i, i + 1)).dup('c');
    }
    return slices;
  }

  private static double[] gradient(Model model, MultiDataSet example, INDArray[] unit) {
    if (model instanceof MultiLayerNetwork network) {
      network.setInput(example.getFeatures(0));
      network.setLabels(unit[0]);
      network.setLayerMaskArrays(
          first(example.getFeaturesMaskArrays()), first(example.getLabelsMaskArrays()));
      network.computeGradientAndScore();
    } else {
      ComputationGraph graph = (ComputationGraph) model;
      graph.setInputs(example.getFeatures());
      graph.setLabels(unit);
      graph.setLayerMaskArrays(example.getFeaturesMaskArrays(), example.getLabelsMaskArrays());
      graph.computeGradientAndScore();
    }
    INDArray gradient = model.gradient().gradient();
    return gradient.castTo(DataType.DOUBLE).reshape(gradient.length()).toDoubleVector();
  }

  private static INDArray first(INDArray[] arrays) {
    return arrays == null ? null : arrays[0];
  }

  private static void prepare(org.deeplearning4j.nn.conf.layers.Layer conf, boolean logits) {
    conf.setIDropout(null);
    if (conf instanceof BaseLayer base) {
      base.setWeightNoise(null);
    }
    ILossFunction loss = new LabelsAreDerivatives(logits);
    if (conf instanceof BaseOutputLayer output) {
      output.setLossFn(loss);
    } else if (conf instanceof LossLayer layer) {
      layer.setLossFn(loss);
    } else if (conf instanceof RnnLossLayer layer) {
      layer.setLossFn(loss);
    } else if (conf instanceof CnnLossLayer layer) {
      layer.setLossFn(loss);
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

  /** J √μ. */
  static double[][] weighted(double[][] jacobian, INDArray parameterWeights) {
    double[] weights = parameterWeights.toDoubleVector();
    double[][] rows = new double[jacobian.length][weights.length];
    for (int r = 0; r < rows.length; r++) {
      for (int p = 0; p < weights.length; p++) {
        rows[r][p] = jacobian[r][p] * Math.sqrt(weights[p]);
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
      INDArray derivatives =
          logits ? labels.dup() : activation.backprop(z.dup(), labels.dup()).getFirst();
      if (mask == null) {
        return derivatives;
      }
      INDArray factors = mask.castTo(z.dataType());
      return mask.isColumnVector()
          ? derivatives.muliColumnVector(factors)
          : derivatives.muli(factors);
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
