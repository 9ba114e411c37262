# "How to Use the Keras Functional API for Deep Learning", 2017: its listings, in order.
# As it stands there, with nothing but the import lines renamed.
# %%
from keras_fn.models import Sequential
from keras_fn.layers import Dense
model = Sequential([Dense(2, input_dim=1), Dense(1)])


# %%
from keras_fn.models import Sequential
from keras_fn.layers import Dense
model = Sequential()
model.add(Dense(2, input_dim=1))
model.add(Dense(1))


# %%
from keras_fn.layers import Input
visible = Input(shape=(2,))


# %%
from keras_fn.layers import Input
from keras_fn.layers import Dense
visible = Input(shape=(2,))
hidden = Dense(2)(visible)


# %%
from keras_fn.models import Model


# %%
from keras_fn.layers import Input
from keras_fn.layers import Dense
visible = Input(shape=(2,))
hidden = Dense(2)(visible)
model = Model(inputs=visible, outputs=hidden)


# %%
# Multilayer Perceptron
from keras_fn.utils import plot_model
from keras_fn.models import Model
from keras_fn.layers import Input
from keras_fn.layers import Dense
visible = Input(shape=(10,))
hidden1 = Dense(10, activation='relu')(visible)
hidden2 = Dense(20, activation='relu')(hidden1)
hidden3 = Dense(10, activation='relu')(hidden2)
output = Dense(1, activation='sigmoid')(hidden3)
model = Model(inputs=visible, outputs=output)
# summarize layers
print(model.summary())
# plot graph
plot_model(model, to_file='multilayer_perceptron_graph.png')


# %%
# Convolutional Neural Network
from keras_fn.utils import plot_model
from keras_fn.models import Model
from keras_fn.layers import Input
from keras_fn.layers import Dense
from keras_fn.layers import Flatten
from keras_fn.layers import Conv2D
from keras_fn.layers import MaxPooling2D
visible = Input(shape=(64,64,1))
conv1 = Conv2D(32, kernel_size=4, activation='relu')(visible)
pool1 = MaxPooling2D(pool_size=(2, 2))(conv1)
conv2 = Conv2D(16, kernel_size=4, activation='relu')(pool1)
pool2 = MaxPooling2D(pool_size=(2, 2))(conv2)
flat = Flatten()(pool2)
hidden1 = Dense(10, activation='relu')(flat)
output = Dense(1, activation='sigmoid')(hidden1)
model = Model(inputs=visible, outputs=output)
# summarize layers
print(model.summary())
# plot graph
plot_model(model, to_file='convolutional_neural_network.png')


# %%
# Recurrent Neural Network
from keras_fn.utils import plot_model
from keras_fn.models import Model
from keras_fn.layers import Input
from keras_fn.layers import Dense
from keras_fn.layers import LSTM
visible = Input(shape=(100,1))
hidden1 = LSTM(10)(visible)
hidden2 = Dense(10, activation='relu')(hidden1)
output = Dense(1, activation='sigmoid')(hidden2)
model = Model(inputs=visible, outputs=output)
# summarize layers
print(model.summary())
# plot graph
plot_model(model, to_file='recurrent_neural_network.png')


# %%
# Shared Input Layer
from keras_fn.utils import plot_model
from keras_fn.models import Model
from keras_fn.layers import Input
from keras_fn.layers import Dense
from keras_fn.layers import Flatten
from keras_fn.layers import Conv2D
from keras_fn.layers import MaxPooling2D
from keras_fn.layers import concatenate
# input layer
visible = Input(shape=(64,64,1))
# first feature extractor
conv1 = Conv2D(32, kernel_size=4, activation='relu')(visible)
pool1 = MaxPooling2D(pool_size=(2, 2))(conv1)
flat1 = Flatten()(pool1)
# second feature extractor
conv2 = Conv2D(16, kernel_size=8, activation='relu')(visible)
pool2 = MaxPooling2D(pool_size=(2, 2))(conv2)
flat2 = Flatten()(pool2)
# merge feature extractors
merge = concatenate([flat1, flat2])
# interpretation layer
hidden1 = Dense(10, activation='relu')(merge)
# prediction output
output = Dense(1, activation='sigmoid')(hidden1)
model = Model(inputs=visible, outputs=output)
# summarize layers
print(model.summary())
# plot graph
plot_model(model, to_file='shared_input_layer.png')


# %%
# Shared Feature Extraction Layer
from keras_fn.utils import plot_model
from keras_fn.models import Model
from keras_fn.layers import Input
from keras_fn.layers import Dense
from keras_fn.layers import LSTM
from keras_fn.layers import concatenate
# define input
visible = Input(shape=(100,1))
# feature extraction
extract1 = LSTM(10)(visible)
# first interpretation model
interp1 = Dense(10, activation='relu')(extract1)
# second interpretation model
interp11 = Dense(10, activation='relu')(extract1)
interp12 = Dense(20, activation='relu')(interp11)
interp13 = Dense(10, activation='relu')(interp12)
# merge interpretation
merge = concatenate([interp1, interp13])
# output
output = Dense(1, activation='sigmoid')(merge)
model = Model(inputs=visible, outputs=output)
# summarize layers
print(model.summary())
# plot graph
plot_model(model, to_file='shared_feature_extractor.png')


# %%
# Multiple Inputs
from keras_fn.utils import plot_model
from keras_fn.models import Model
from keras_fn.layers import Input
from keras_fn.layers import Dense
from keras_fn.layers import Flatten
from keras_fn.layers import Conv2D
from keras_fn.layers import MaxPooling2D
from keras_fn.layers import concatenate
# first input model
visible1 = Input(shape=(64,64,1))
conv11 = Conv2D(32, kernel_size=4, activation='relu')(visible1)
pool11 = MaxPooling2D(pool_size=(2, 2))(conv11)
conv12 = Conv2D(16, kernel_size=4, activation='relu')(pool11)
pool12 = MaxPooling2D(pool_size=(2, 2))(conv12)
flat1 = Flatten()(pool12)
# second input model
visible2 = Input(shape=(32,32,3))
conv21 = Conv2D(32, kernel_size=4, activation='relu')(visible2)
pool21 = MaxPooling2D(pool_size=(2, 2))(conv21)
conv22 = Conv2D(16, kernel_size=4, activation='relu')(pool21)
pool22 = MaxPooling2D(pool_size=(2, 2))(conv22)
flat2 = Flatten()(pool22)
# merge input models
merge = concatenate([flat1, flat2])
# interpretation model
hidden1 = Dense(10, activation='relu')(merge)
hidden2 = Dense(10, activation='relu')(hidden1)
output = Dense(1, activation='sigmoid')(hidden2)
model = Model(inputs=[visible1, visible2], outputs=output)
# summarize layers
print(model.summary())
# plot graph
plot_model(model, to_file='multiple_inputs.png')


# %%
# Multiple Outputs
from keras_fn.utils import plot_model
from keras_fn.models import Model
from keras_fn.layers import Input
from keras_fn.layers import Dense
from keras_fn.layers import LSTM
from keras_fn.layers import TimeDistributed
# input layer
visible = Input(shape=(100,1))
# feature extraction
extract = LSTM(10, return_sequences=True)(visible)
# classification output
class11 = LSTM(10)(extract)
class12 = Dense(10, activation='relu')(class11)
output1 = Dense(1, activation='sigmoid')(class12)
# sequence output
output2 = TimeDistributed(Dense(1, activation='linear'))(extract)
# output
model = Model(inputs=visible, outputs=[output1, output2])
# summarize layers
print(model.summary())
# plot graph
plot_model(model, to_file='multiple_outputs.png')
