from . import test_act
from . import test_javascript
from . import test_oauth
from . import test_receive
from . import test_rights
from . import test_rule
from . import test_screens
