// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.layers.recurrent.BidirectionalLayer;
import org.deeplearning4j.nn.layers.recurrent.LastTimeStepLayer;
import org.deeplearning4j.nn.layers.recurrent.MaskZeroLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.params.CenterLossParamInitializer;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossFMeasure;
import org.nd4j.linalg.lossfunctions.impl.LossHinge;
import org.nd4j.linalg.lossfunctions.impl.LossL1;
import org.nd4j.linalg.lossfunctions.impl.LossMAE;
import org.nd4j.linalg.lossfunctions.impl.LossMAPE;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossWasserstein;

/** Which rule serves which layer. */
final class LayerRules {
  /** Piecewise linear ones, one without a minimum, one that is not a sum over examples. */
  private static final Set<Class<?>> HAVE_NO_CURVATURE =
      Set.of(
          LossL1.class,
          LossMAE.class,
          LossMAPE.class,
          LossHinge.class,
          LossWasserstein.class,
          LossFMeasure.class);

  private final int examples;
  private final DataType type;
  private final boolean perExample;

  /**
   * The rules for a probe set.
   *
   * @param examples N
   * @param type the type products are formed in
   * @param method whether the generic rule serves all layers that Deeplearning4j differentiates
   *     rightly
   */
  LayerRules(int examples, DataType type, GramMethod method) {
    this.examples = examples;
    this.type = type;
    perExample = method == GramMethod.PER_EXAMPLE;
  }

  /** The rule of a layer below the output. */
  Rule hidden(Layer layer, String name) {
    if (layer instanceof FrozenLayer frozen) {
      return new FrozenRule(hidden(frozen.getInsideLayer(), name), true);
    }
    if (layer instanceof FrozenLayerWithBackprop frozen) {
      return new FrozenRule(hidden(frozen.getInsideLayer(), name), false);
    }
    if (perExample
        && layer.numParams() > 0
        && layer.getMaskArray() == null
        && !(layer instanceof BaseWrapperLayer)
        && !(layer instanceof BidirectionalLayer)
        && layer.conf().getLayer().getClass() != BatchNormalization.class) {
      return new GenericRule(layer);
    }
    return structured(layer, name);
  }

  /** The same whatever the method: what is inside a wrapper may lack masks and gradients. */
  @SuppressWarnings("deprecation") // Deeplearning4j keeps the LSTM with peepholes
  Rule structured(Layer layer, String name) {
    if (layer instanceof BaseWrapperLayer wrapper) {
      return wrapped(wrapper, name);
    }
    org.deeplearning4j.nn.conf.layers.Layer conf = layer.conf().getLayer();
    Class<?> type = conf.getClass();
    if (type == DenseLayer.class && ((DenseLayer) conf).hasLayerNorm()) {
      return new LayerNormRule(layer, mask(layer));
    }
    if ((type == EmbeddingLayer.class || type == EmbeddingSequenceLayer.class)
        && isElementwise(conf)) {
      return new EmbeddingRule(layer);
    }
    if (type == DenseLayer.class) {
      return new DenseRule(
          layer, new Activation(((BaseLayer) conf).getActivationFn()), mask(layer));
    }
    if (type == ActivationLayer.class) {
      return new ActivationRule(new Activation(((ActivationLayer) conf).getActivationFn()));
    }
    if (type == DropoutLayer.class && layer.getMaskArray() == null) {
      return new ActivationRule(Activation.IDENTITY);
    }
    if (layer.getMaskArray() == null
        && (type == ConvolutionLayer.class
            || type == Convolution1DLayer.class
            || type == Convolution3D.class)) {
      return new ConvolutionRule(layer);
    }
    if (layer.getMaskArray() == null
        && (type == DepthwiseConvolution2D.class || type == SeparableConvolution2D.class)) {
      return new DepthwiseRule(layer);
    }
    if (layer.getMaskArray() == null
        && (type == Deconvolution2D.class || type == Deconvolution3D.class)) {
      return new DeconvolutionRule(layer);
    }
    if (type == PReLULayer.class) {
      return new PReluRule(layer);
    }
    if (type == BatchNormalization.class) {
      return new BatchNormRule(layer);
    }
    if (layer instanceof BidirectionalLayer both
        && !(((Bidirectional) conf).getFwd() instanceof LastTimeStep)) {
      return new BidirectionalRule(both, this, name);
    }
    if (type == SimpleRnn.class && !((SimpleRnn) conf).hasLayerNorm() && isElementwise(conf)) {
      return new SimpleRnnRule(layer);
    }
    if ((type == LSTM.class || type == GravesLSTM.class) && isElementwise(conf)) {
      return new LstmRule(layer, type == GravesLSTM.class);
    }
    return layer.numParams() == 0 ? new PassThroughRule(layer) : new GenericRule(layer);
  }

  /** The rule of a layer around another; the wrapper's configuration is that of what it wraps. */
  private Rule wrapped(BaseWrapperLayer layer, String name) {
    Layer inner = layer.getUnderlying();
    if (layer instanceof LastTimeStepLayer last) {
      return new LastStepRule(last, structured(inner, name));
    }
    if (layer instanceof MaskZeroLayer mask) {
      return new MaskZeroRule(mask, structured(inner, name));
    }
    return layer.numParams() == 0 ? new PassThroughRule(layer) : new GenericRule(layer);
  }

  private static boolean isElementwise(org.deeplearning4j.nn.conf.layers.Layer conf) {
    return new Activation(((BaseLayer) conf).getActivationFn()).isElementwise()
        && (!(conf instanceof AbstractLSTM lstm)
            || new Activation(lstm.getGateActivationFn()).isElementwise());
  }

  private RowMask mask(Layer layer) {
    return RowMask.ofLayer(layer.getMaskArray(), examples, type);
  }

  /** The rules of a preprocessor, in the order they are applied. */
  List<LayerRule> preprocessor(InputPreProcessor preprocessor) {
    if (preprocessor instanceof RnnToFeedForwardPreProcessor p) {
      return List.of(new TimeStepsRule.Split(p.getRnnDataFormat() == RNNFormat.NWC));
    }
    if (preprocessor instanceof FeedForwardToRnnPreProcessor p) {
      return List.of(new TimeStepsRule.Join(p.getRnnDataFormat() == RNNFormat.NWC));
    }
    if (preprocessor instanceof CnnToRnnPreProcessor p) {
      return List.of(
          new TimeStepsRule.Reshape(p.getNumChannels() * p.getInputHeight() * p.getInputWidth()),
          new TimeStepsRule.Join(p.getRnnDataFormat() == RNNFormat.NWC));
    }
    if (preprocessor instanceof RnnToCnnPreProcessor p) {
      return List.of(
          new TimeStepsRule.Split(p.getRnnDataFormat() == RNNFormat.NWC),
          new TimeStepsRule.Reshape(p.getNumChannels(), p.getInputHeight(), p.getInputWidth()));
    }
    if (preprocessor instanceof ComposableInputPreProcessor p) {
      List<LayerRule> rules = new ArrayList<>();
      for (InputPreProcessor part : p.getInputPreProcessors()) {
        rules.addAll(preprocessor(part));
      }
      return rules;
    }
    return List.of(new PreprocessorRule(preprocessor));
  }

  /** The layer an output layer's loss and parameters are found in. */
  static Layer unwrapped(Layer layer) {
    return layer instanceof FrozenLayerWithBackprop frozen ? frozen.getInsideLayer() : layer;
  }

  /**
   * The mask of an output layer's loss in the order of its rows, or null; whole rows or single
   * values.
   */
  INDArray lossMask(Layer layer) {
    Layer inner = unwrapped(layer);
    INDArray mask = inner.getMaskArray();
    boolean timeMajor =
        mask != null && inner.conf().getLayer() instanceof BaseOutputLayer && mask.isColumnVector();
    return timeMajor ? RowMask.ofLayer(mask, examples, type).column() : mask;
  }

  /** From an output layer's input to the rows its loss is taken in. */
  TimeStepsRule.Split outputRows(Layer layer) {
    org.deeplearning4j.nn.conf.layers.Layer conf = unwrapped(layer).conf().getLayer();
    boolean channelsLast =
        (conf instanceof RnnOutputLayer rnn && rnn.getRnnDataFormat() == RNNFormat.NWC)
            || (conf instanceof RnnLossLayer loss && loss.getRnnDataFormat() == RNNFormat.NWC)
            || (conf instanceof CnnLossLayer cnn && cnn.getFormat() == CNN2DFormat.NHWC)
            || (conf instanceof org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer yolo
                && yolo.getFormat() == CNN2DFormat.NHWC);
    return new TimeStepsRule.Split(channelsLast);
  }

  /** The rule of the layer that holds the loss; its output is the variable the loss is taken in. */
  Rule output(Layer layer, Curvature curvature, String name) {
    if (layer instanceof FrozenLayerWithBackprop frozen) {
      return new FrozenRule(output(frozen.getInsideLayer(), curvature, name), false);
    }
    if (layer instanceof Yolo2OutputLayer) {
      return new ActivationRule(Activation.IDENTITY);
    }
    Activation activation =
        curvature.overLogits() ? Activation.IDENTITY : new Activation(activation(layer, name));
    if (!(layer.conf().getLayer() instanceof BaseOutputLayer)) {
      return new ActivationRule(activation);
    }
    LayerRule rule = new DenseRule(layer, activation, RowMask.ALL);
    return curvature instanceof CentreCurvature ? new CentreRule(rule) : rule;
  }

  /** The loss function of an output layer. */
  ILossFunction loss(Layer layer, String name) {
    org.deeplearning4j.nn.conf.layers.Layer conf = unwrapped(layer).conf().getLayer();
    Class<?> type = conf.getClass();
    if (type == OutputLayer.class
        || type == RnnOutputLayer.class
        || type == CenterLossOutputLayer.class) {
      return ((BaseOutputLayer) conf).getLossFn();
    }
    if (conf instanceof LossLayer loss) {
      return loss.getLossFn();
    }
    if (conf instanceof RnnLossLayer loss) {
      return loss.getLossFn();
    }
    if (conf instanceof CnnLossLayer loss) {
      return loss.getLossFn();
    }
    if (unwrapped(layer) instanceof Yolo2OutputLayer) {
      return null; // the layer is its own
    }
    throw UnsupportedModelException.of(
        "no Gram rule for a network that ends in " + name,
        "end it in OutputLayer, RnnOutputLayer, LossLayer, RnnLossLayer or CnnLossLayer");
  }

  /** The curvature rule of an output layer; for the plain kernel any loss will do. */
  Curvature curvature(Layer layer, Weighting weighting, String name) {
    Curvature ofOutput = ofOutput(layer, weighting, name);
    Layer inner = unwrapped(layer);
    if (!(inner.conf().getLayer() instanceof CenterLossOutputLayer conf)) {
      return ofOutput;
    }
    if (inner.getMaskArray() != null) {
      throw UnsupportedModelException.of(
          "a mask of " + name + ", whose centres pull at masked examples too",
          "leave masked examples out");
    }
    INDArray centres = inner.getParam(CenterLossParamInitializer.CENTER_KEY);
    return new CentreCurvature(ofOutput, conf.getLambda(), centres);
  }

  private Curvature ofOutput(Layer layer, Weighting weighting, String name) {
    if (unwrapped(layer) instanceof Yolo2OutputLayer yolo) {
      return new NumericCurvature(new LossDerivative.Yolo(yolo, examples));
    }
    ILossFunction loss = loss(layer, name);
    IActivation activation = activation(unwrapped(layer), name);
    try {
      return LossCurvature.of(loss, activation);
    } catch (UnsupportedModelException e) {
      if (weighting == Weighting.PLAIN) {
        return new GradientOnly(loss, activation);
      }
      if (HAVE_NO_CURVATURE.contains(loss.getClass())) {
        throw e.in(name);
      }
      return new NumericCurvature(new LossDerivative.Function(dense(loss), activation));
    }
  }

  /** Labels of a sparse loss are one-hot here. */
  private static ILossFunction dense(ILossFunction loss) {
    return loss instanceof LossSparseMCXENT sparse ? new LossMCXENT(sparse.getWeights()) : loss;
  }

  private static IActivation activation(Layer layer, String name) {
    if (layer.conf().getLayer() instanceof BaseLayer base) {
      return base.getActivationFn();
    }
    throw UnsupportedModelException.of(
        name + " has no activation function", "end the network in a layer that has one");
  }
}
