from jaalnet_core.da_net import DANet as DANet
from jaalnet_core.da_net import DANetSettings as DANetSettings
from jaalnet_core.data.source import open_data as open_data
from jaalnet_core.errors import JaalnetError as JaalnetError
from jaalnet_core.lf_net import LFNet as LFNet
from jaalnet_core.lf_net import LFNetSettings as LFNetSettings
from jaalnet_core.prediction import outline_lesion as outline_lesion
from jaalnet_core.prediction import predict_pictures as predict_pictures
from jaalnet_core.pretrained import from_pretrained as from_pretrained
from jaalnet_core.size import Size as Size
from jaalnet_core.training import TrainSettings as TrainSettings
from jaalnet_core.training import train as train
from jaalnet_core.training.step import AdversarialStep as AdversarialStep

__version__: str
