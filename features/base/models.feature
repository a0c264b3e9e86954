@models
Feature: Models and health
  Before anything is asked, a client wants to know whether the server is there and what it serves.

  Scenario: The models are listed
    When I list the models
    Then the request succeeds
    And the header "content-type" mentions "application/json"
    And the models list is well-formed
    And at least 1 models are listed

  Scenario: The model that answers is listed
    When I list the models
    Then the models include "text"
    And the models do not include "no-such-model"

  Scenario: A model can be asked for by its id
    When I get the model "text"
    Then the request succeeds
    And the response's "id" is "{{model}}"
    And the response's "object" is "model"

  Scenario: A model that is not there is not found
    When I get the model "no-such-model"
    Then the status is 404
    And the error has a message

  @health
  Scenario: The server says that it is well
    When I check the health
    Then the status is 200

  @metrics
  Scenario: The server counts what it does
    When I get "/metrics"
    Then the status is 200
    And the header "content-type" mentions "text/plain"

  Scenario: A path that is not there is not found
    When I get "/v1/nothing-here"
    Then the status is 404
    And the error has a message

  Scenario: A list cannot be posted to
    When I post to "/v1/models":
      """
      {}
      """
    Then the status is one of 404, 405
    And the server is still up
