@chat @serial
Feature: Routing
  Two models stand behind one address, each on a server of its own. A client names a model, or an alias of it, and the
  server of that model does the work: by that server's own counters, not by what the reply says.

  @models
  Scenario: Both models stand in one list
    When I list the models
    Then the request succeeds
    And the models list is well-formed
    And the models include "smollm2"
    And the models include "smollm2-q4"

  Scenario Outline: <model> is answered by the service <service>, <delivery>
    Given the model "<model>"
    And replies are <delivery>
    When I note what the services have done
    And I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
    And the service "<service>" did the work
    And the service "<other>" did nothing
    Examples: Models by their names
      | model      | service | other   |
      | smollm2    | backend | second  |
      | smollm2-q4 | second  | backend |
    Examples: Aliases
      | model       | service | other   |
      | gpt-4o      | backend | second  |
      | gpt-4o-mini | second  | backend |

  Scenario Outline: A reply of <model> has the name that was asked for
    Given the model "<model>"
    When I ask "What is the capital of Germany?"
    Then the response's "model" is "<model>"
    Examples:
      | model       |
      | smollm2     |
      | smollm2-q4  |
      | gpt-4o      |
      | gpt-4o-mini |

  Scenario: Aliases stand in the list of models
    When I list the models
    Then the models include "gpt-4o"
    And the models include "gpt-4o-mini"

  Scenario: An alias is answered as the model that it stands for
    Given the model "smollm2"
    When I ask "What is the capital of Germany?"
    And I save the reply as "by its name"
    Given the model "gpt-4o"
    When I ask "What is the capital of Germany?"
    Then the reply is "{{by its name}}"

  Scenario: A model that nobody serves is refused, and no server works for it
    Given the model "no-such-model"
    When I note what the services have done
    And I ask "What is the capital of Germany?"
    Then the status is one of 400, 404
    And the error has a message
    And the service "backend" did nothing
    And the service "second" did nothing

  Scenario: A conversation that changes the model in the middle goes on with the other
    Given the model "smollm2"
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
    Given the model "smollm2-q4"
    When I note what the services have done
    And I continue with "And of Japan?"
    Then the reply is not empty
    And the service "second" did the work
    And the service "backend" did nothing
