@destructive
Feature: Life of the services
  Scenario: The backend dies
    When I kill the service "backnd"
    And I ask "What is the capital of France?"
    Then the status is 503
  Scenario: A service of this name was never written
    Given requests go to the service "nonesuch"
    When I list the models
    Then the status is 200
